// What pages gain with a script: keys, drawings over the tables, and a history that is seen coming in. Nothing here is
// needed to read a page.
(() => {
  "use strict";
  const self = document.currentScript ? document.currentScript.src : "";
  const version = self.includes("?") ? self.slice(self.indexOf("?")) : "";

  // Keys.
  let going = 0; // until when a key after "g" names a page
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select")) return;
    const go = (a) => a && (e.preventDefault(), location.assign(a.href));
    if (e.timeStamp < going) {
      going = 0;
      go(document.querySelector(`nav a[data-key="${CSS.escape(e.key)}"]`));
      return;
    }
    switch (e.key) {
      case "g":
        going = e.timeStamp + 1500;
        break;
      case "[":
        go(document.querySelector("a[rel=prev]"));
        break;
      case "]":
        go(document.querySelector("a[rel=next]"));
        break;
      case "?": {
        const keys = document.getElementById("keys");
        if (!keys) break;
        keys.open = !keys.open;
        if (keys.open) keys.scrollIntoView({ block: "end" });
        keys.querySelector("summary").focus({ preventScroll: true });
        break;
      }
      case "/": {
        e.preventDefault();
        const field = document.querySelector("[data-focus]");
        if (field) field.focus();
        else location.assign("/playground#text");
        break;
      }
    }
  });

  // Drawings. The drawing code is fetched when the first figure comes near the screen.
  let loading;
  const load = (path) =>
    new Promise((done, failed) => {
      const s = document.createElement("script");
      s.src = "/static/" + path + version;
      s.onload = done;
      s.onerror = failed;
      document.head.append(s);
    });
  const drawer = () =>
    (loading ??= load("vendor/d3/d3.min.js")
      .then(() => load("vendor/plot/plot.umd.min.js"))
      .then(() => load("chart.js")));

  const start = () => {
    const figures = document.querySelectorAll("figure[data-chart]");
    const near = new IntersectionObserver(
      (seen) => {
        for (const entry of seen) {
          if (!entry.isIntersecting) continue;
          near.unobserve(entry.target);
          drawer().then(() => window.murmurChart(entry.target));
        }
      },
      { rootMargin: "400px" },
    );
    figures.forEach((f) => near.observe(f));
  };

  // A history that comes in: its part of the page is fetched again, and put in place unless somebody is in it. Only
  // what is said about it in words is announced.
  let announced = "";
  const follow = (part) => {
    if (!part) return;
    const said = document.getElementById("history-said");
    if (said && announced !== "" && announced !== part.dataset.said) said.textContent = part.dataset.said;
    announced = part.dataset.said;
    if (part.dataset.again) setTimeout(() => look(part), 1000 * Number(part.dataset.again));
  };
  const look = async (part) => {
    let next = null;
    if (!document.hidden && !part.contains(document.activeElement)) {
      try {
        const answer = await fetch(part.dataset.from, { cache: "no-store" });
        if (answer.status === 401 || answer.status === 403) return; // closed meanwhile
        if (answer.ok) next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("history");
      } catch {
        // the server restarts: the next look may find it
      }
    }
    if (next && !part.contains(document.activeElement)) {
      next = document.importNode(next, true);
      part.replaceWith(next);
    }
    follow(next || part);
  };

  // Passkeys: the server asks, the device signs (Web Authentication Level 3).
  const passkeys = () => {
    const PKC = window.PublicKeyCredential;
    if (!PKC || !PKC.parseCreationOptionsFromJSON || !PKC.parseRequestOptionsFromJSON) return;
    const ways = {
      add: ["/passkey/new", "/passkey/add", (o) => navigator.credentials.create({ publicKey: PKC.parseCreationOptionsFromJSON(o) })],
      use: ["/passkey/ask", "/passkey/use", (o) => navigator.credentials.get({ publicKey: PKC.parseRequestOptionsFromJSON(o) })],
    };
    for (const button of document.querySelectorAll("[data-passkey]")) {
      const [ask, answer, sign] = ways[button.dataset.passkey];
      const said = document.querySelector("[data-passkey-said]");
      button.hidden = false;
      button.addEventListener("click", async () => {
        said.hidden = true;
        try {
          const asked = await fetch(ask, { method: "POST" });
          if (!asked.ok) throw new Error();
          const key = await sign(await asked.json());
          const done = await fetch(answer, { method: "POST", body: JSON.stringify(key), headers: { "Content-Type": "application/json" } });
          if (!done.ok) throw new Error();
          location.reload();
        } catch {
          said.hidden = false; // refused, or the holder thought better of it
        }
      });
    }
  };

  const ready = () => {
    start();
    passkeys();
    follow(document.getElementById("history"));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
