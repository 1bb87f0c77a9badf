"""Trains murmur's second reader: README.md says on what, and how to run it."""

import argparse
import glob
import json
import os
import random
import re
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

import network
import weights
from words import MASK_OF, MASKS, Words

LABELS = ["O", "PERSON", "LOCATION", "ADDRESS", "DATE", "DATE_OF_BIRTH", "AGE", "POSTCODE", "PHONE", "EMAIL", "URL", "USERNAME", "PASSWORD",
          "PIN", "CVV", "ID", "NUMBER", "VEHICLE", "CREDIT_CARD", "CARD_EXPIRY", "SSN", "IBAN", "BANK_ACCT", "IP"]
LABEL = {l: i for i, l in enumerate(LABELS)}
WINDOW = 160
IGNORE = -100

# Of the documents of a source, which share an epoch reads: many are alike.
SHARE = {"restaurant8k": 0.25, "clinc150": 0.35, "banking77": 0.4, "gen_calls_spoken": 0.6, "gen_calls_written": 0.6, "gen2_calls_spoken": 0.6,
         "gen2_calls_written": 0.6, "hands": 0.7, "exchanges": 0.7}

# What digits are said to be, rules mask nearly always.
BY_RULE = {"PHONE", "CREDIT_CARD", "CARD_EXPIRY", "CVV", "SSN", "IBAN", "BANK_ACCT", "EMAIL", "IP", "PIN", "ID", "VEHICLE", "NUMBER"}

plain = re.compile(r"[a-z0-9]+|[^a-z0-9 \n\t]")
ordinary = re.compile(r"[\x20-\x7e\n\t]*\Z")


class Reader:
    """Makes documents out of lines: a document is turns, a turn a mark and stretches of words, each with a label and a mask."""

    def __init__(self, words):
        self.words = words

    def cut(self, text):
        if ordinary.match(text):
            return [self.words.pieces(w) for w in plain.findall(text.lower())]
        return self.words.cut(text)

    def mark(self, side):
        return self.words.marks["text" if side == 0 else "contact" if side == 1 else "agent" if side in (2, 3) else "other"]

    def document(self, line):
        turns = []
        for t in line["turns"]:
            stretches = []
            for p in t["pieces"] or []:
                label = IGNORE if p.get("free") else LABEL.get(p.get("type", "O"), 0)
                ws = self.cut(p["text"])
                if ws:
                    stretches.append((ws, label, p.get("mask", "")))
            turns.append((self.mark(t["side"]), stretches))
        return turns


class Noise:
    """Writes a document anew for an epoch: masked, misspelt, other words."""

    def __init__(self, words, rng):
        self.r, self.words = rng, words
        self.plain = [ids for ids in words.first.values()]
        self.names = [[i] for w, i in words.first.items() if len(w) > 2 and w.isalpha() and w.isascii()]

    def copy(self, turns, judged):
        """Gives turns of (mark, [(ids, label)]); judged documents keep the masks that they have."""
        r = self.r
        roll = r.random()
        share = 0.9 if roll < 0.4 else 0.65 if roll < 0.75 else 0.15
        out, bare = [], r.choice((0, 0.1, 0.3))  # of a detector's right masks, how many are taken off again
        for mark, stretches in turns:
            now = []
            for ws, label, mask in stretches:
                if judged:
                    if mask and (label <= 0 or r.random() > bare):
                        self.mask(now, mask)
                    elif label > 0 and r.random() < 0.1:
                        self.mask(now, LABELS[label])
                    else:
                        now.extend((w, label) for w in ws)
                elif label > 0:
                    self.value(now, ws, label, share)
                else:
                    self.talk(now, ws, label)
            out.append((mark, now))
        return out

    def mask(self, now, kind):
        ids = [self.words.masks[MASK_OF.get(kind, "OTHER")]]
        if not now or now[-1][0] != ids:
            now.append((ids, IGNORE))

    def value(self, now, ws, label, share):
        r = self.r
        kind = LABELS[label]
        if kind in BY_RULE:
            share = max(share, 0.85)
        if r.random() < share:
            if len(ws) > 1 and r.random() < 0.15:  # only a part of it is masked
                k = r.randint(1, len(ws) - 1)
                if r.random() < 0.5:
                    self.mask(now, kind)
                    now.extend((w, label) for w in ws[k:])
                else:
                    now.extend((w, label) for w in ws[:k])
                    self.mask(now, kind)
            else:
                self.mask(now, kind)
            return
        word = kind == "PERSON" and len(ws) < 4 and r.random() < 0.3  # people are called by words
        for w in ws:
            if word and len(self.words.lines[w[0]]) > 2:
                w = r.choice(self.names)
            elif r.random() < 0.04:
                w = self.slip(w)
            now.append((w, label))

    def talk(self, now, ws, label):
        r = self.r
        for w in ws:
            x = r.random()
            if x < 0.006:
                self.mask(now, "PERSON" if r.random() < 0.6 else r.choice(LABELS[1:]))
            elif x < 0.02:
                now.append((self.slip(w), label))
            elif x < 0.03:
                now.append(([r.choice(self.plain)], label))
            elif x < 0.035:
                continue
            else:
                now.append((w, label))

    def slip(self, ids):
        """A slip of the finger or of the ear in a word."""
        w = "".join(self.words.lines[i].removeprefix("##") for i in ids)
        if len(w) < 3 or not w.isalpha():
            return ids
        k = self.r.randrange(len(w) - 1)
        x = self.r.random()
        if x < 0.3:
            w = w[:k] + w[k + 1:]
        elif x < 0.6:
            w = w[:k] + w[k + 1] + w[k] + w[k + 2:]
        elif x < 0.8:
            w = w[:k] + self.r.choice("aeiounrstlmdh") + w[k + 1:]
        else:
            w = w[:k] + w[k] + w[k:]
        return self.words.pieces(w)


def windows(words, turns, rng):
    """Cuts a document into windows of ids and labels, of whole turns where they fit; a window begins anywhere."""
    out, ids, labels = [], [words.cls], [IGNORE]
    size = WINDOW if rng is None or rng.random() < 0.7 else rng.randint(40, WINDOW)

    def flush():
        nonlocal ids, labels
        if len(ids) > 2:
            out.append((ids + [words.sep], labels + [IGNORE]))
        ids, labels = [words.cls], [IGNORE]

    for mark, ws in turns:
        n = 1 + sum(len(w) for w, _ in ws)
        if len(ids) + n >= size and len(ids) > 1:
            flush()
        ids.append(mark)
        labels.append(IGNORE)
        for w, label in ws:
            w = w[:40]
            if len(ids) + len(w) >= WINDOW:
                flush()
                ids.append(mark)
                labels.append(IGNORE)
            ids += w
            labels += [label] * len(w)
    flush()
    return out


def batches(examples, tokens, rng):
    """Batches of windows that are about equally long."""
    rng.shuffle(examples)
    for k in range(0, len(examples), 4000):
        chunk = sorted(examples[k:k + 4000], key=lambda e: len(e[0]))
        groups, now = [], []
        for e in chunk:
            if now and len(e[0]) * (len(now) + 1) > tokens:
                groups.append(now)
                now = []
            now.append(e)
        if now:
            groups.append(now)
        rng.shuffle(groups)
        yield from groups


def tensors(group):
    n = max(len(i) for i, _ in group)
    ids, labels = np.zeros((len(group), n), np.int64), np.full((len(group), n), IGNORE, np.int64)
    for k, (i, l) in enumerate(group):
        ids[k, :len(i)], labels[k, :len(l)] = i, l
    return torch.from_numpy(ids), torch.tensor([len(i) for i, _ in group]), torch.from_numpy(labels)


def load(reader, paths, rng, share=1.0):
    """Reads documents; share 0 is all of them as they are, to measure."""
    docs = []
    for path in paths:
        if not os.path.exists(path):
            continue
        with open(path) as f:
            for line in f:
                d = json.loads(line)
                if share and rng.random() >= share * SHARE.get(d["source"], 1):
                    continue
                judged = "id" in d
                docs.append((d["source"], d.get("id", ""), reader.document(d), judged))
    return docs


def judge(net, words, docs, log):
    """Reads documents as rules and tagger left them; prints what the network finds of what leaks, and what it masks falsely."""
    net.eval()
    rows = {}  # by group: words of (document, label, chars, p)
    jobs = []
    for n, (group, _, turns, _) in enumerate(docs):
        flat, copy = [], []
        for mark, stretches in turns:
            now = []
            for ws, label, mask in stretches:
                if mask:
                    if label == 0:
                        rows.setdefault(group, []).append((n, -1, len(ws), 1.0))  # falsely masked already
                    elif label > 0:
                        rows.setdefault(group, []).append((n, -2, len(ws), 1.0))
                    k = [words.masks[MASK_OF.get(mask, "OTHER")]]
                    if not now or now[-1][0] != k:
                        now.append((k, IGNORE))
                else:
                    now.extend((w, label) for w in ws)
            copy.append((mark, now))
        for ids, labels in windows(words, copy, None):
            jobs.append((n, group, ids, labels))
    jobs.sort(key=lambda j: len(j[2]))
    with torch.no_grad():
        for k in range(0, len(jobs), 32):
            part = jobs[k:k + 32]
            ids, lengths, _ = tensors([(i, l) for _, _, i, l in part])
            p = 1 - torch.softmax(net(ids, lengths), -1)[..., 0]
            for (n, group, i, l), row in zip(part, p.tolist()):
                at = 0
                while at < len(i):
                    to = at + 1
                    while to < len(i) and words.lines[i[to]].startswith("##"):
                        to += 1
                    s = "".join(words.lines[x].removeprefix("##") for x in i[at:to])
                    if l[at] != IGNORE and any(c.isalnum() for c in s):
                        rows.setdefault(group, []).append((n, l[at], 1, max(row[at:to])))
                    at = to
    net.train()
    for group, r in rows.items():
        total = len({n for g, n in ((d[0], k) for k, d in enumerate(docs)) if g == group})
        line = f"{group:18s}"
        for t in (2, 0.1, 0.2, 0.3, 0.5, 0.7):
            leak = len({n for n, label, _, p in r if label > 0 and p < t})
            true = sum(c for _, label, c, p in r if label == -2) + sum(1 for _, label, _, p in r if label > 0 and p >= t)
            false = sum(c for _, label, c, p in r if label == -1) + sum(1 for _, label, _, p in r if label == 0 and p >= t)
            line += f" | {leak / max(1, total):.3f} {true / max(1, true + false):.3f} {sum(1 for _, l, _, p in r if l == 0 and p >= t)}"
        log(line)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--rampart", default=os.path.join(os.environ.get("MURMUR_MODELS") or os.path.expanduser("~/.local/share/murmur-models"), "rampart"))
    a.add_argument("--data", nargs="+", required=True, help="JSON lines of internal/redact/tag/export")
    a.add_argument("--judged", nargs="*", default=[], help="the same, masked by rules and models that had not read them")
    a.add_argument("--dev", nargs="*", default=[], help="the same, to measure and not to learn")
    a.add_argument("--out", required=True)
    a.add_argument("--layers", default="0,1,2")
    a.add_argument("--tokens", type=int, default=1536, help="word pieces of a batch")
    a.add_argument("--budget", type=float, default=5.8, help="word pieces to learn from, millions")
    a.add_argument("--rate", type=float, default=3e-4)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--share", type=float, default=0.25, help="of the data, which an epoch reads")
    a.add_argument("--start", default="", help="a state to go on from, written beside --out")
    a.add_argument("--inputs", default="", help="JSON lines that the export printed: what was learned from")
    a = a.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    torch.use_deterministic_algorithms(True)
    rng = random.Random(a.seed)
    begun = time.process_time()

    def log(*s):
        print(f"{time.process_time() - begun:6.0f}", *s, flush=True)

    rampart = weights.Rampart(a.rampart)
    words = Words(rampart.words)
    net = network.from_rampart(rampart, words, [int(l) for l in a.layers.split(",")], len(LABELS))
    if a.start:
        net.load_state_dict(torch.load(a.start))
    reader, noise = Reader(words), Noise(words, rng)
    dev = load(reader, a.dev, rng, 0)
    header = dict(name="murmur reader", version=1, layers=len(net.layers), width=weights.WIDTH, heads=weights.HEADS, inner=net.layers[0].rise.out_features,
                  words=len(words.lines), positions=weights.POSITIONS, window=WINDOW, labels=LABELS, marks=words.marks, masks=words.masks,
                  licence="CC BY 4.0: made from Rampart, National Design Studio, 2026; changed: fewer layers, another head, trained again",
                  seed=a.seed, inputs=[json.loads(l) for p in ([a.inputs] if a.inputs else []) for l in open(p)])

    def save(done):
        torch.save(net.state_dict(), a.out + ".state")
        log("saved", weights.write(a.out, dict(header, learned=int(done)), words.lines, net.arrays()))

    groups = [{"params": list(net.layers.parameters()) + list(net.norm.parameters()) + [net.positions, net.own], "lr": a.rate, "weight_decay": 0.01},
              {"params": list(net.classify.parameters()), "lr": 5 * a.rate, "weight_decay": 0.0}]
    rates = [g["lr"] for g in groups]
    opt = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    total, done, steps, loss_sum, saved, judged_at = a.budget * 1e6, 0, 0, 0.0, 0, 0
    net.train()

    def epochs():
        k = 0
        while True:
            paths = [a.data[k % len(a.data)]]
            docs = load(reader, paths, rng, a.share) + load(reader, a.judged, rng, a.share)
            examples, by = [], {}
            for source, _, turns, judged in docs:
                new = windows(words, noise.copy(turns, judged), rng)
                by[source] = by.get(source, 0) + sum(len(i) for i, _ in new)
                examples += new
            log("epoch", k, len(examples), "windows", {s: n // 1000 for s, n in by.items()})
            yield from batches(examples, a.tokens, rng)
            k += 1

    for group in epochs():
        ids, lengths, labels = tensors(group)
        warm = min(1, done / 60_000)
        for g, r in zip(opt.param_groups, rates):
            g["lr"] = r * warm * max(0.02, 1 - done / total)
        loss = F.cross_entropy(net(ids, lengths).flatten(0, 1), labels.flatten(), ignore_index=IGNORE)
        if not torch.isfinite(loss):
            continue
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
        opt.step()
        done += int(lengths.sum())
        steps += 1
        loss_sum += loss.item()
        if steps % 100 == 0:
            log(f"{steps} steps, {done / 1e6:.2f} million, loss {loss_sum / 100:.4f}")
            loss_sum = 0.0
        if done - saved > 400_000:
            saved = done
            save(done)
        if dev and done - judged_at > 600_000 and done < total:
            judged_at = done
            judge(net, words, dev[::5], log)
        if done >= total:
            break
    save(done)
    net.load_rounded()
    if dev:
        judge(net, words, dev, log)


if __name__ == "__main__":
    sys.exit(main())
