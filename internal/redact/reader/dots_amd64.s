#include "textflag.h"

// func dotsAVX2(out *int32, stride int, w *byte, x *int16, rows, k int)
//
// Four rows of weights meet two rows of activations at a time: sixteen weights are widened to 16 bits, multiplied by
// sixteen activations, neighbours added (VPMADDWD), and summed in eight registers of eight 32-bit numbers.
TEXT ·dotsAVX2(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ w+16(FP), SI
	MOVQ x+24(FP), DX
	MOVQ rows+32(FP), CX
	MOVQ k+40(FP), BX
	LEAQ (DI)(R8*4), R8 // out of the second row of activations
	LEAQ (DX)(BX*2), R9 // the second row of activations

quad:
	LEAQ  (SI)(BX*1), R10 // the second to fourth row of weights
	LEAQ  (SI)(BX*2), R11
	LEAQ  (R10)(BX*2), R12
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	XORQ  AX, AX

step:
	VMOVDQU   (DX)(AX*2), Y8
	VMOVDQU   (R9)(AX*2), Y9
	VPMOVSXBW (SI)(AX*1), Y10
	VPMOVSXBW (R10)(AX*1), Y11
	VPMOVSXBW (R11)(AX*1), Y12
	VPMOVSXBW (R12)(AX*1), Y13
	VPMADDWD  Y8, Y10, Y14
	VPADDD    Y14, Y0, Y0
	VPMADDWD  Y9, Y10, Y15
	VPADDD    Y15, Y4, Y4
	VPMADDWD  Y8, Y11, Y14
	VPADDD    Y14, Y1, Y1
	VPMADDWD  Y9, Y11, Y15
	VPADDD    Y15, Y5, Y5
	VPMADDWD  Y8, Y12, Y14
	VPADDD    Y14, Y2, Y2
	VPMADDWD  Y9, Y12, Y15
	VPADDD    Y15, Y6, Y6
	VPMADDWD  Y8, Y13, Y14
	VPADDD    Y14, Y3, Y3
	VPMADDWD  Y9, Y13, Y15
	VPADDD    Y15, Y7, Y7
	ADDQ      $16, AX
	CMPQ      AX, BX
	JLT       step

	VPHADDD      Y1, Y0, Y0
	VPHADDD      Y3, Y2, Y2
	VPHADDD      Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VMOVDQU      X0, (DI)
	VPHADDD      Y5, Y4, Y4
	VPHADDD      Y7, Y6, Y6
	VPHADDD      Y6, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPADDD       X5, X4, X4
	VMOVDQU      X4, (R8)
	ADDQ         $16, DI
	ADDQ         $16, R8
	LEAQ         (SI)(BX*4), SI
	SUBQ         $4, CX
	JGT          quad
	VZEROUPPER
	RET
