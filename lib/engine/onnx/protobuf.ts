/**
 * Writes ONNX models: the subset of Protocol Buffers and of onnx.proto3 (ONNX 1.17) that a graph needs.
 * @module
 */
import { ELEMENT_TYPES, type ElementType } from "./onnx_runtime.ts";

/** The domain of ONNX Runtime's contributed operators. */
const CONTRIBUTED = "com.microsoft";

/** Versions that a reader of a model must support: the file format and the operator set. */
type OnnxVersions = { readonly ir: number; readonly opset: number };

/** Versions for the bundled ONNX Runtime. */
const CURRENT: OnnxVersions = { ir: 10, opset: 21 };

/** Value of an attribute: an integer, a string, integers, or a float. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** One operator of a graph. */
export type OnnxNode = {
  readonly op: string;
  /** "" for ONNX's own operators, `com.microsoft` for ONNX Runtime's. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
};

/** An input or output of a model. */
export type OnnxValue = {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
};

/** A constant of a graph; `data` holds the elements in little-endian, row-major order. */
export type OnnxInitializer = {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
};

/** The parts of a model. */
export type OnnxGraph = {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
};

/** Fields of at least this many bytes are referenced instead of copied. */
const LARGE = 4096;

/** A message under construction: fields are appended, submessages are written as length and bytes. */
class Message {
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #bytes = new Uint8Array(256);
  #size = 0;

  #room(count: number): void {
    if (this.#size + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#size + count));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
  #varint(value: number | bigint): void {
    this.#room(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 128n) {
      this.#bytes[this.#size++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#size++] = Number(rest);
  }
  #append(value: Uint8Array): void {
    if (value.length >= LARGE) {
      this.#close();
      this.#parts.push(value);
      this.#partBytes += value.length;
    } else {
      this.#room(value.length);
      this.#bytes.set(value, this.#size);
      this.#size += value.length;
    }
  }
  /** Appends the bytes that were copied so far to the parts. */
  #close(): void {
    if (this.#size === 0) return;
    this.#parts.push(this.#bytes.subarray(0, this.#size));
    this.#partBytes += this.#size;
    this.#bytes = new Uint8Array(256);
    this.#size = 0;
  }
  integer(field: number, value: number): this {
    this.#varint(field << 3);
    this.#varint(value);
    return this;
  }
  float(field: number, value: number): this {
    this.#varint((field << 3) | 5);
    this.#room(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#size, value, true);
    this.#size += 4;
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    this.#varint((field << 3) | 2);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }
  message(field: number, value: Message): this {
    const parts = value.finish();
    this.#varint((field << 3) | 2);
    this.#varint(value.#partBytes);
    parts.forEach((part) => this.#append(part));
    return this;
  }
  /** The message in parts; large fields are the caller's arrays, not copies. */
  finish(): readonly Uint8Array[] {
    this.#close();
    return this.#parts;
  }
}

/** AttributeProto: numbers are ints, `{ float }` is a float. */
function attributeMessage(name: string, value: OnnxAttribute): Message {
  const message = new Message().text(1, name);
  const FLOAT = 1, INT = 2, STRING = 3, INTS = 7;
  if (typeof value === "number") return message.integer(3, value).integer(20, INT);
  if (typeof value === "string") return message.text(4, value).integer(20, STRING);
  if ("float" in value) return message.float(2, value.float).integer(20, FLOAT);
  for (const item of value) message.integer(8, item);
  return message.integer(20, INTS);
}

/** NodeProto. */
function nodeMessage({ op, domain, inputs, outputs, attributes = {} }: OnnxNode): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(4, op);
  for (const [name, value] of Object.entries(attributes)) {
    message.message(5, attributeMessage(name, value));
  }
  if (domain !== undefined) message.text(7, domain);
  return message;
}

/** ValueInfoProto of a tensor; a dimension that is a string is symbolic. */
function valueMessage({ name, type, shape }: OnnxValue): Message {
  const dimensions = new Message();
  for (const size of shape) {
    const dimension = new Message();
    dimensions.message(
      1,
      typeof size === "number" ? dimension.integer(1, size) : dimension.text(2, size),
    );
  }
  const tensor = new Message().integer(1, ELEMENT_TYPES[type]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** TensorProto. */
function initializerMessage({ name, type, shape, data }: OnnxInitializer): Message {
  const message = new Message();
  for (const size of shape) message.integer(1, size);
  return message.integer(2, ELEMENT_TYPES[type]).text(8, name).bytes(9, data);
}

/** A complete model in parts that are to be written one after another; constants are not copied. */
export function serializeOnnx(
  graph: OnnxGraph,
  { ir, opset }: OnnxVersions = CURRENT,
): readonly Uint8Array[] {
  const body = new Message();
  for (const node of graph.nodes) body.message(1, nodeMessage(node));
  body.text(2, graph.name);
  for (const initializer of graph.initializers) body.message(5, initializerMessage(initializer));
  for (const input of graph.inputs) body.message(11, valueMessage(input));
  for (const output of graph.outputs) body.message(12, valueMessage(output));
  const model = new Message()
    .integer(1, ir)
    .message(7, body)
    .message(8, new Message().text(1, "").integer(2, opset));
  if (graph.nodes.some(({ domain }) => domain === CONTRIBUTED)) {
    model.message(8, new Message().text(1, CONTRIBUTED).integer(2, 1));
  }
  return model.finish();
}

/** A complete model in one array. */
export function writeOnnx(graph: OnnxGraph): Uint8Array<ArrayBuffer> {
  const parts = serializeOnnx(graph);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
