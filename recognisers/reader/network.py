"""The network: the first layers of a BERT encoder with a label for every word piece."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from weights import HEADS, POSITIONS, WIDTH, rounded


class Layer(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.query, self.key, self.value, self.attend = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.rise, self.fall = nn.Linear(WIDTH, inner), nn.Linear(inner, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x, mask, drop):
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, HEADS, WIDTH // HEADS).transpose(1, 2) for f in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(b, t, WIDTH)
        x = self.norm1(x + F.dropout(self.attend(y), drop, self.training))
        return self.norm2(x + F.dropout(self.fall(F.gelu(self.rise(x))), drop, self.training))


class Network(nn.Module):
    def __init__(self, words, layers, inner, labels):
        super().__init__()
        self.words = nn.Parameter(torch.zeros(words, WIDTH), requires_grad=False)  # those of Rampart stay as they are
        self.own = nn.Parameter(torch.zeros(9, WIDTH))  # ours: marks and masks, the last nine
        self.positions = nn.Parameter(torch.zeros(POSITIONS, WIDTH))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer(inner) for _ in range(layers))
        self.classify = nn.Linear(WIDTH, labels)
        self.drop = 0.1

    def forward(self, ids, lengths):
        table = torch.cat([self.words, self.own])
        x = F.embedding(ids, table) + self.positions[:ids.shape[1]]
        x = F.dropout(self.norm(x), self.drop, self.training)
        mask = None
        if lengths is not None and int(lengths.min()) < ids.shape[1]:
            mask = (torch.arange(ids.shape[1])[None, :] < lengths[:, None])[:, None, None, :]
        for l in self.layers:
            x = l(x, mask, self.drop)
        return self.classify(F.dropout(x, self.drop, self.training))

    def arrays(self):
        s = {k: v.detach().numpy() for k, v in self.state_dict().items()}
        s["words"] = np.concatenate([s["words"], s.pop("own")])
        return s

    def load_rounded(self):
        """Takes the weights as they are written, so that what is measured is what ships."""
        with torch.no_grad():
            table, scale = rounded(np.concatenate([self.words.numpy(), self.own.numpy()]))
            table = torch.from_numpy(table * scale[:, None])
            self.words.copy_(table[:len(self.words)])
            self.own.copy_(table[len(self.words):])
            for m in self.layers.modules():
                if isinstance(m, nn.Linear):
                    cells, scale = rounded(m.weight.numpy())
                    m.weight.copy_(torch.from_numpy(cells * scale[:, None]))


def from_rampart(rampart, words, layers, labels, inner=4 * WIDTH):
    """The network with the layers of Rampart that are named, a head of our own, and our pieces near what they mean."""
    net = Network(19730, len(layers), inner, labels)
    with torch.no_grad():
        table = torch.from_numpy(rampart.table("word_embeddings"))
        net.words.copy_(table)
        near = [["customer"], ["agent"], ["speaker"], ["text"], ["name", "person"], ["city", "place"], ["address", "street"], ["date", "day"], ["number", "code"]]
        for i, ws in enumerate(near):
            net.own[i] = torch.stack([table[words.pieces(w)[0]] for w in ws]).mean(0)
        net.positions.copy_(torch.from_numpy(rampart.table("position_embeddings")[:POSITIONS] + rampart.table("token_type_embeddings")[0]))
        net.norm.weight.copy_(torch.from_numpy(rampart.floats("bert.embeddings.LayerNorm.weight")))
        net.norm.bias.copy_(torch.from_numpy(rampart.floats("bert.embeddings.LayerNorm.bias")))
        for to, l in zip(net.layers, layers):
            to.load_state_dict({k: torch.from_numpy(v) for k, v in rampart.layer(l).items()})
        nn.init.normal_(net.classify.weight, std=0.02)
        nn.init.zeros_(net.classify.bias)
    return net
