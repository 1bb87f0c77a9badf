"""Listens to one leg of a call: a WAV on stdin, JSON lines on stdout.

    {"speech": [start, end]}                        a stretch of speech, seconds
    {"w": "six", "start": .., "end": .., "conf": ..}  a word
    {"w": .., "second": true}                       a word that the second model heard in the same stretch

Whisper base hears the words, Whisper tiny.en hears them again for masks (what either of them takes for a number is
masked), silero-vad says where speech is. Everything is read from the folder of this file; nothing is kept, nothing
is sent. docs/models/voice.md names the packages, checksums and licences of the weights.
"""
import io
import json
import os
import sys

import numpy as np
import onnxruntime
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio

RATE = 16000
HERE = os.path.dirname(os.path.abspath(__file__))
CHUNK, CONTEXT = 512, 64  # samples, of silero-vad at 16 kHz
LOUD, QUIET = 0.35, 0.2  # probability at which speech begins and ends
PAUSE, PAD, LONGEST = 0.6, 0.2, 28.0  # seconds: between turns, around a turn, of a turn


def speech(audio):
    """Yields the turns of a leg, (start, end) in seconds: one turn is one window of Whisper."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    vad = onnxruntime.InferenceSession(f"{HERE}/models/silero_vad.onnx", options, providers=["CPUExecutionProvider"])
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
    begun = last = None
    for at in range(0, len(audio), CHUNK):
        chunk = np.pad(audio[at:at + CHUNK], (0, max(0, at + CHUNK - len(audio))))
        x = np.concatenate([context, chunk])[None]
        p, state = vad.run(None, {"input": x, "state": state, "sr": np.array(RATE, np.int64)})
        context, now = chunk[-CONTEXT:], at / RATE
        if p[0, 0] >= (LOUD if begun is None else QUIET):
            begun, last = now if begun is None else begun, now + CHUNK / RATE
        if begun is not None and (now - last >= PAUSE or now - begun >= LONGEST):
            yield begun, last
            begun = None
    if begun is not None:
        yield begun, last


def main():
    audio = decode_audio(io.BytesIO(sys.stdin.buffer.read()), sampling_rate=RATE)
    models = [(name, WhisperModel(f"{HERE}/models/{name}", device="cpu", compute_type="int8", cpu_threads=1))
              for name in ("base", "tiny.en")]
    length = len(audio) / RATE
    for start, end in speech(audio):
        start, end = max(0, start - PAD), min(length, end + PAD)
        print(json.dumps({"speech": [round(start, 3), round(end, 3)]}))
        window = audio[int(start * RATE):int(end * RATE)]
        for name, model in models:
            segments, _ = model.transcribe(window, language="en", word_timestamps=True, beam_size=5,
                                           condition_on_previous_text=False, without_timestamps=True)
            for word in (w for s in segments for w in s.words):
                line = {"w": word.word.strip(), "start": round(start + word.start, 3),
                        "end": round(start + word.end, 3), "conf": round(word.probability, 3)}
                if name != "base":
                    line["second"] = True
                print(json.dumps(line))


if __name__ == "__main__":
    main()
