// Draws a figure's table with Observable Plot. The table stays; everything drawn is read from it.
window.murmurChart = (() => {
  "use strict";
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  // Plot builds a chart in this document, where nothing is applied, so that its style element can be taken out
  // before the page's security policy sees it; murmur.css stands in for it.
  const workshop = document.implementation.createHTMLDocument("");
  Object.defineProperty(workshop, "defaultView", { value: window }); // Plot makes its pointer events with it

  const number = (s) => (s === undefined || s === "" ? NaN : Number(s));

  const read = (figure) =>
    [...figure.querySelectorAll("tbody tr")].map((tr) => ({
      label: tr.dataset.label,
      series: tr.dataset.series ?? "",
      v: number(tr.dataset.v),
      low: number(tr.dataset.low),
      high: number(tr.dataset.high),
      hours: (tr.dataset.hours ?? "").split(" ").filter(Boolean).map(Number),
      current: tr.dataset.current === "1",
      tip: `${(tr.querySelector("th a") ?? tr.querySelector("th").firstChild).textContent.trim()}\n${tr.dataset.series ? tr.dataset.series + "\n" : ""}${tr.dataset.text ?? "hidden"}`,
    }));

  // One scale for all numbers of a chart, like the one the tables use.
  const scale = (unit, top) => {
    if (unit === "ratio") return { by: 100, word: "%" };
    if (unit !== "s") return { by: 1, word: unit };
    if (top < 120) return { by: 1, word: "seconds" };
    if (top < 7200) return { by: 1 / 60, word: "minutes" };
    if (top < 172800) return { by: 1 / 3600, word: "hours" };
    return { by: 1 / 86400, word: "days" };
  };

  const short = (s, n) => (s.length > n ? s.slice(0, n - 1) + "…" : s);
  const inks = ["var(--accent)", "var(--second)", "var(--ink)", "var(--soft)"];

  const trend = (rows, s, width) => {
    const shown = rows.toReversed().map((r) => ({ ...r, v: r.v * s.by, low: r.low * s.by, high: r.high * s.by }));
    const series = [...new Set(shown.map((r) => r.series))];
    const weeks = [...new Set(shown.map((r) => r.label))];
    const every = Math.ceil(weeks.length / Math.max(2, Math.floor(width / 60)));
    const week = (w) => w.replace(/^.*W(\d+)$/, "W$1");
    const marks = series.flatMap((name, i) => {
      const data = shown.filter((r) => r.series === name);
      const ink = inks[i % inks.length];
      return [
        Plot.areaY(data, { x: "label", y1: "low", y2: "high", fill: ink, fillOpacity: 0.16, curve: "monotone-x" }),
        Plot.lineY(data, { x: "label", y: "v", stroke: ink, strokeWidth: 2, strokeDasharray: i ? "6 4" : null, curve: "monotone-x" }),
        Plot.ruleX(data.filter((r) => r.current), { x: "label", y1: "low", y2: "high", stroke: ink, strokeWidth: 1.5 }),
        Plot.dot(data, { x: "label", y: "v", symbol: i ? "square" : "circle", fill: (r) => (r.current ? ink : "var(--surface)"), stroke: ink, r: (r) => (r.current ? 4.5 : 2.5) }),
      ];
    });
    return {
      height: 210,
      marginLeft: 44,
      marginRight: 12,
      marginTop: 26,
      x: { type: "point", domain: weeks, ticks: weeks.filter((_, i) => (weeks.length - 1 - i) % every === 0), tickFormat: week, label: null, tickSize: 0 },
      y: { grid: true, label: s.word, ticks: 4, tickSize: 0, zero: shown.every((r) => !(r.low < 0)), nice: true, labelArrow: "none" },
      marks: [...marks, Plot.tip(shown, Plot.pointer({ x: "label", y: "v", title: "tip", fill: "var(--surface)" }))],
    };
  };

  const spark = (rows, s, width) => ({
    ...trend(rows, s, width),
    height: 64,
    margin: 6,
    marginLeft: 6,
    marginRight: 6,
    marginTop: 6,
    axis: null,
    y: { zero: rows.every((r) => !(r.low < 0)) },
  });

  const bars = (rows, s, width) => {
    const shown = rows.filter((r) => !Number.isNaN(r.v)).map((r, i) => ({ ...r, i: String(i), v: r.v * s.by, low: r.low * s.by, high: r.high * s.by }));
    const letters = Math.min(Math.floor((width * 0.42) / 6.4), Math.max(...shown.map((r) => r.label.length)));
    const signed = shown.some((r) => r.low < 0);
    return {
      height: 52 + shown.length * 26,
      marginBottom: 40,
      marginLeft: 14 + letters * 6.4,
      marginRight: 14,
      marginTop: 8,
      x: { grid: true, label: s.word === "%" ? null : s.word, tickFormat: (v) => (s.word === "%" ? v + " %" : d3.format(",")(v)), labelOffset: 36, ticks: Math.max(2, Math.floor(width / 130)), tickSize: 0, zero: !signed, nice: true, labelArrow: "none" },
      y: { domain: shown.map((r) => r.i), tickFormat: (i) => short(shown[i].label, letters), label: null, tickSize: 0 },
      marks: [
        Plot.barX(shown, { x: "v", y: "i", fill: "var(--accent)", fillOpacity: 0.22, insetTop: 4, insetBottom: 4, rx: 2 }),
        Plot.ruleX([0], { stroke: "var(--soft)" }),
        Plot.ruleY(shown, { x1: "low", x2: "high", y: "i", stroke: "var(--accent)", strokeWidth: 2 }),
        Plot.dot(shown, { x: "v", y: "i", fill: "var(--accent)", r: 4 }),
        Plot.tip(shown, Plot.pointerY({ x: "v", y: "i", title: "tip", fill: "var(--surface)" })),
      ],
    };
  };

  const heat = (rows, s, width) => {
    // A merged group's count is spread evenly over its hours; a share holds for each of them.
    const cells = rows
      .filter((r) => !Number.isNaN(r.v))
      .flatMap((r) => r.hours.map((h) => ({ day: days[Math.floor(h / 24)], hour: h % 24, v: (s.word === "%" ? r.v : r.v / r.hours.length) * s.by, tip: r.tip, wide: r.hours.length > 1 })));
    const top = Math.max(...cells.map((c) => c.v));
    const low = s.word === "%" ? Math.min(...cells.map((c) => c.v)) : 0;
    const hours = d3.range(24);
    return {
      height: Math.min(280, 60 + Math.max(18, width / 26) * 7),
      marginLeft: 40,
      marginTop: 8,
      x: { domain: hours, ticks: hours.filter((h) => h % (width < 500 ? 6 : 3) === 0), tickFormat: (h) => String(h).padStart(2, "0"), label: null, tickSize: 0, padding: 0.08 },
      y: { domain: days, label: null, tickSize: 0, padding: 0.08 },
      marks: [
        Plot.cell(cells, { x: "hour", y: "day", fill: "var(--accent)", fillOpacity: (c) => 0.07 + (top > low ? (0.93 * (c.v - low)) / (top - low) : 0.5), rx: 2 }),
        Plot.tip(cells, Plot.pointer({ x: "hour", y: "day", title: "tip", fill: "var(--surface)" })),
      ],
    };
  };

  const kinds = { trend, spark, bars, heat };

  const draw = (figure) => {
    const rows = read(figure);
    const width = Math.max(240, Math.floor(figure.clientWidth));
    const top = Math.max(...rows.flatMap((r) => [r.v, r.high]).filter((v) => !Number.isNaN(v)));
    const options = kinds[figure.dataset.chart](rows, scale(figure.dataset.unit, top), width);
    const svg = Plot.plot({
      ...options,
      width,
      document: workshop,
      style: { fontSize: "11.5px", fontFamily: "inherit", overflow: "visible" },
      ariaLabel: figure.querySelector("figcaption > [id$='-t']").textContent,
      ariaDescription: figure.querySelector("figcaption > [id$='-d']")?.textContent,
    });
    svg.querySelectorAll("style").forEach((s) => s.remove());
    svg.setAttribute("role", "img");
    svg.querySelectorAll("[aria-label]").forEach((mark) => mark.removeAttribute("aria-label")); // names belong to things with a role; the picture has its own
    figure.querySelector("svg")?.remove();
    figure.querySelector("figcaption").after(svg);
  };

  return (figure) => {
    const rows = read(figure);
    if (rows.filter((r) => !Number.isNaN(r.v)).length < 2) return; // one number is not a picture
    draw(figure);
    figure.querySelector("details").open = false;
    let width = figure.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(figure.clientWidth - width) < 8) return;
      width = figure.clientWidth;
      draw(figure);
    }).observe(figure);
  };
})();
