package rampart

import (
	"encoding/binary"
	"errors"
	"math"
)

// The part of the ONNX format (onnx.proto3, IR version 8) that the model needs: the tensors of a graph by name,
// and which of them a node reads. Everything else is skipped. What is read points into the file's bytes.

// errONNX says that a file is not an ONNX model of the kind that is read here.
var errONNX = errors.New("rampart: not an ONNX model")

// tensor is a TensorProto.
type tensor struct {
	dims []int
	kind int // TensorProto.DataType
	raw  []byte
}

const (
	kindFloat = 1 // TensorProto.FLOAT
	kindUint8 = 2 // TensorProto.UINT8
)

// onnx is a graph: its tensors, and the inputs of its nodes.
type onnx struct {
	tensors map[string]tensor
	inputs  map[string][]string
}

// readONNX reads a ModelProto.
func readONNX(file []byte) (*onnx, error) {
	g := &onnx{tensors: map[string]tensor{}, inputs: map[string][]string{}}
	err := fields(file, func(num int, b []byte, _ uint64) error {
		if num != 7 { // ModelProto.graph
			return nil
		}
		return fields(b, func(num int, b []byte, _ uint64) error {
			switch num {
			case 1: // GraphProto.node
				return g.node(b)
			case 5: // GraphProto.initializer
				return g.tensor(b)
			}
			return nil
		})
	})
	return g, err
}

// node reads a NodeProto.
func (g *onnx) node(b []byte) error {
	var name string
	var in []string
	err := fields(b, func(num int, b []byte, _ uint64) error {
		switch num {
		case 1:
			in = append(in, string(b))
		case 3:
			name = string(b)
		}
		return nil
	})
	g.inputs[name] = in
	return err
}

// tensor reads a TensorProto. A single value may stand in a field of its own kind instead of raw_data.
func (g *onnx) tensor(b []byte) error {
	var t tensor
	var name string
	err := fields(b, func(num int, b []byte, v uint64) error {
		switch num {
		case 1: // dims, packed or one by one
			if b == nil {
				t.dims = append(t.dims, int(v))
				return nil
			}
			for len(b) > 0 {
				v, n := binary.Uvarint(b)
				if n <= 0 {
					return errONNX
				}
				t.dims, b = append(t.dims, int(v)), b[n:]
			}
		case 2: // data_type
			t.kind = int(v)
		case 4: // float_data
			if b == nil {
				b = binary.LittleEndian.AppendUint32(nil, uint32(v))
			}
			t.raw = b
		case 5: // int32_data, of which only a single small value is read
			if len(b) > 0 {
				v, _ = binary.Uvarint(b)
			}
			t.raw = []byte{byte(v)}
		case 8:
			name = string(b)
		case 9:
			t.raw = b
		}
		return nil
	})
	g.tensors[name] = t
	return err
}

// fields calls f for every field of a Protocol Buffers message: b is the value of a length-delimited field, nil for
// the others, whose value is v.
func fields(m []byte, f func(num int, b []byte, v uint64) error) error {
	for len(m) > 0 {
		tag, n := binary.Uvarint(m)
		if n <= 0 || tag>>3 == 0 || tag>>3 > math.MaxInt32 {
			return errONNX
		}
		m = m[n:]
		var b []byte
		var v uint64
		switch tag & 7 {
		case 0: // varint
			if v, n = binary.Uvarint(m); n <= 0 {
				return errONNX
			}
		case 1: // 64 bits
			if n = 8; len(m) < n {
				return errONNX
			}
			v = binary.LittleEndian.Uint64(m)
		case 2: // length-delimited
			size, k := binary.Uvarint(m)
			if k <= 0 || size > uint64(len(m)-k) {
				return errONNX
			}
			n = k + int(size)
			b = m[k:n:n]
		case 5: // 32 bits
			if n = 4; len(m) < n {
				return errONNX
			}
			v = uint64(binary.LittleEndian.Uint32(m))
		default:
			return errONNX
		}
		if err := f(int(tag>>3), b, v); err != nil {
			return err
		}
		m = m[n:]
	}
	return nil
}

// bytes gives the tensor of a name that has n elements of one byte.
func (g *onnx) bytes(name string, n int) ([]byte, error) {
	t, ok := g.tensors[name]
	if !ok || t.kind != kindUint8 || len(t.raw) != n {
		return nil, errONNX
	}
	return t.raw, nil
}

// floats gives a copy of the tensor of a name that has n elements.
func (g *onnx) floats(name string, n int) ([]float32, error) {
	t, ok := g.tensors[name]
	if !ok || t.kind != kindFloat || len(t.raw) != 4*n {
		return nil, errONNX
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
	}
	return out, nil
}
