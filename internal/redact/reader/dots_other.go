//go:build !amd64

package reader

// dots gives the products of rows of weights with two rows of activations: see dotsPlain.
func dots(out []int32, stride int, w []byte, x []int16, rows, k int) {
	dotsPlain(out, stride, w, x, rows, k)
}
