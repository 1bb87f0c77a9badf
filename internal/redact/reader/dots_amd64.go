package reader

import "golang.org/x/sys/cpu"

// vectors reports whether the processor has what dotsAVX2 needs.
var vectors = cpu.X86.HasAVX2

// dotsAVX2 does what dotsPlain does.
//
//go:noescape
func dotsAVX2(out *int32, stride int, w *byte, x *int16, rows, k int)

// dots gives the products of rows of weights with two rows of activations: see dotsPlain.
func dots(out []int32, stride int, w []byte, x []int16, rows, k int) {
	_, _, _ = out[stride+rows-1], w[rows*k-1], x[2*k-1]
	if vectors {
		dotsAVX2(&out[0], stride, &w[0], &x[0], rows, k)
		return
	}
	dotsPlain(out, stride, w, x, rows, k)
}
