package main

import (
	"encoding/binary"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// recording writes a WAV of ten seconds at 8 kHz whose tone sounds between the seconds given: recording FILE START END..
func recording(ts *testscript.TestScript, _ bool, args []string) {
	const rate, seconds = 8000, 10
	pcm := make([]int16, rate*seconds)
	for i := 1; i+1 < len(args); i += 2 {
		start, err := strconv.ParseFloat(args[i], 64)
		ts.Check(err)
		end, err := strconv.ParseFloat(args[i+1], 64)
		ts.Check(err)
		for f := int(start * rate); f < int(end*rate); f++ {
			pcm[f] = int16(f%40*400 - 8000)
		}
	}
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data")
	b = binary.LittleEndian.AppendUint32(b, uint32(2*len(pcm)))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}
