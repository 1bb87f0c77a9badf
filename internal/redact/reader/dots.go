package reader

// Matrix products are of whole numbers, so that every processor gives the same: weights from -127 to 127, activations
// from -reach to reach, sums of 32 bits. On amd64 with AVX2 dots_amd64.s does it, elsewhere dotsPlain.

// reach is the largest activation: 127 * reach * inner is less than 1<<31.
const reach = 8191

// dotsPlain sets out[r] to the sum of w[r*k+i]*x[i] and out[stride+r] to that of w[r*k+i]*x[k+i], i below k, for all r
// below rows. w are signed bytes; rows is a multiple of 4, k one of 16 and at most inner.
//
// Both sums lie in one number of 64 bits: a product with x[i] + x[k+i]<<32 multiplies for both. The lower one borrows from
// the upper one where it is negative, which is given back at the end.
func dotsPlain(out []int32, stride int, w []byte, x []int16, rows, k int) {
	var both [inner]int64
	pair, second := both[:k], x[k:]
	for i := range pair {
		pair[i] = int64(x[i]) + int64(second[i])<<32
	}
	for r := 0; r < rows; r += 4 {
		a, b, c, d := w[r*k:][:k], w[(r+1)*k:][:k], w[(r+2)*k:][:k], w[(r+3)*k:][:k]
		var s, t, u, v int64
		for i, p := range pair {
			s += int64(int8(a[i])) * p
			t += int64(int8(b[i])) * p
			u += int64(int8(c[i])) * p
			v += int64(int8(d[i])) * p
		}
		for i, sum := range [...]int64{s, t, u, v} {
			out[r+i], out[stride+r+i] = int32(sum), int32((sum-int64(int32(sum)))>>32)
		}
	}
}
