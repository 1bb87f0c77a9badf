"""Cuts text into the word pieces of the network, exactly as internal/redact/reader does in Go."""

import unicodedata

MARKS = ["contact", "agent", "other", "text"]  # who speaks: sides 1, 2, any other, and none
MASKS = ["PERSON", "LOCATION", "ADDRESS", "DATE", "OTHER"]  # what stands for a value that is masked already

# The types of murmur's masks, by what stands for them.
MASK_OF = {"PERSON": "PERSON", "LOCATION": "LOCATION", "ADDRESS": "ADDRESS", "POSTCODE": "ADDRESS",
           "DATE": "DATE", "DATE_OF_BIRTH": "DATE", "AGE": "DATE"}


class Words:
    """The vocabulary of Rampart, with pieces of our own behind it that no text can spell."""

    def __init__(self, lines):
        self.lines = list(lines)
        if len(self.lines) > 19730:
            del self.lines[19730:]
        own = ["[MARK " + m + "]" for m in MARKS] + ["[MASK " + m + "]" for m in MASKS]
        self.marks = {m: len(self.lines) + i for i, m in enumerate(MARKS)}
        self.masks = {m: len(self.lines) + len(MARKS) + i for i, m in enumerate(MASKS)}
        self.lines += own
        self.first, self.next = {}, {}
        for i, w in enumerate(self.lines):
            if w.startswith("##") and len(w) > 2:
                self.next[w[2:]] = i
            elif i < 5 and w.startswith("[") or w in own:
                continue
            else:
                self.first[w] = i
        self.unk, self.cls, self.sep = (self.lines.index(s) for s in ("[UNK]", "[CLS]", "[SEP]"))
        self.known = {}

    def cut(self, text):
        """Gives the words of a text: lists of ids."""
        out, word = [], []

        def flush():
            if word:
                out.append(self.pieces("".join(word)))
                word.clear()

        for c in text:
            if space(c):
                flush()
            elif c in ("\0", "\ufffd") or control(c):
                continue
            elif punct(c) or ideograph(c):
                flush()
                word.extend(fold(c))
                flush()
            elif c < "\x80":
                word.append(c.lower())
            else:
                for d in fold(c):
                    if punct(d):
                        flush()
                        word.append(d)
                        flush()
                    else:
                        word.append(d)
        flush()
        return out

    def pieces(self, word):
        ids = self.known.get(word)
        if ids is not None:
            return ids
        ids, at, known = [], 0, self.first
        while at < len(word):
            to = len(word) if len(word) <= 100 else at
            while to > at and word[at:to] not in known:
                to -= 1
            if to == at:
                ids = [self.unk]
                break
            ids.append(known[word[at:to]])
            known, at = self.next, to
        if len(self.known) < 1_000_000:
            self.known[word] = ids
        return ids


def fold(c):
    """Lower case without accents, as Go's unicode.ToLower does it: one character for one."""
    if c < "\x80":
        return c.lower()
    return [l if len(l := d.lower()) == 1 else l[0] for d in unicodedata.normalize("NFD", c) if unicodedata.category(d) != "Mn"]


def space(c):
    return c in "\t\n\r\v\f \x85\xa0" or c > "\x7f" and unicodedata.category(c) in ("Zs", "Zl", "Zp")


def control(c):
    return unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs")


def punct(c):
    if c < "\x80":
        return " " < c < "\x7f" and not c.isalnum()
    return unicodedata.category(c).startswith("P")


def ideograph(c):
    o = ord(c)
    return any(a <= o <= b for a, b in ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B81F),
                                        (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)))
