/**
 * Messages of the Jupyter protocol 5.3 (https://jupyter-client.readthedocs.io/en/stable/messaging.html), and the ZeroMQ
 * client over TCP that sends and receives them, with the socket types DEALER and SUB that a kernel needs. It avoids
 * ZeroMQ's native library.
 *
 * Transport: ZMTP 3.0 with the NULL mechanism, https://rfc.zeromq.org/spec/23/
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError } from "@/engine/system.ts";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { isRecord } from "./nbformat.ts";

const SOCKET_TYPES = ["DEALER", "SUB"] as const;
type SocketType = typeof SOCKET_TYPES[number];

/** A connected socket. */
export type ZmtpSocket = {
  /** Sends one message of one or more frames. */
  send(frames: readonly Uint8Array[]): Promise<void>;
  /** Received messages until the connection ends; can be read only once. */
  messages(): AsyncGenerator<readonly Uint8Array[]>;
  close(): void;
};

const MORE = 1, LONG = 2, COMMAND = 4; // flag bits of a frame

const encoder = new TextEncoder();

/** Connects to a local port; retries for up to `timeoutMs`. */
export async function connectZmtp(
  port: number,
  type: SocketType,
  options: { readonly timeoutMs?: number } = {},
): Promise<ZmtpSocket> {
  const { timeoutMs = 60_000 } = options;
  const connection = await connectTcp(port, timeoutMs);
  connection.setNoDelay(true);
  const writer = connection.writable.getWriter();
  const read = createReader(connection.readable.getReader());

  const readFrame = async () => {
    const flags = (await read(1))[0] ?? 0;
    const length = flags & LONG
      ? Number(new DataView((await read(8)).buffer).getBigUint64(0))
      : (await read(1))[0] ?? 0;
    return { flags, body: await read(length) };
  };
  const socket: ZmtpSocket = {
    send: (frames) => writer.write(encodeMessage(frames)),
    async *messages() {
      let message: Uint8Array[] = [];
      while (true) {
        let frame;
        try {
          frame = await readFrame();
        } catch (error) {
          if (!isSystemError(error)) throw error;
          return; // the connection is closed
        }
        if (frame.flags & COMMAND) continue;
        message.push(frame.body);
        if (frame.flags & MORE) continue;
        yield message;
        message = [];
      }
    },
    close() {
      try {
        connection.close();
      } catch (error) {
        if (!isSystemError(error)) throw error; // closed already
      }
    },
  };

  await writer.write(greeting());
  await read(64); // the peer's greeting
  await writer.write(readyCommand(type));
  await readFrame(); // the peer's READY
  if (type === "SUB") await socket.send([Uint8Array.of(1)]); // subscribes to everything
  return socket;
}

/** Encodes a message: each frame preceded by its flags and length. */
export function encodeMessage(frames: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [i, frame] of frames.entries()) {
    const more = i < frames.length - 1 ? MORE : 0;
    if (frame.length > 255) {
      const head = new Uint8Array(9);
      head[0] = more | LONG;
      new DataView(head.buffer).setBigUint64(1, BigInt(frame.length));
      parts.push(head, frame);
    } else {
      parts.push(Uint8Array.of(more, frame.length), frame);
    }
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** 64 bytes: signature, version 3.0, mechanism NULL, not a server. */
function greeting(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
  bytes.set(encoder.encode("NULL"), 12);
  return bytes;
}

function readyCommand(type: SocketType): Uint8Array {
  const property = (name: string, value: string) => [
    name.length,
    ...encoder.encode(name),
    ...[0, 0, 0, value.length],
    ...encoder.encode(value),
  ];
  const body = [
    5,
    ...encoder.encode("READY"),
    ...property("Socket-Type", type),
    ...property("Identity", ""),
  ];
  return Uint8Array.of(COMMAND, body.length, ...body);
}

async function connectTcp(port: number, timeoutMs: number): Promise<Deno.TcpConn> {
  const waitMs = 25;
  for (let waited = 0;; waited += waitMs) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || waited >= timeoutMs) throw error;
      await sleep(waitMs); // the kernel is still starting
    }
  }
}

/** Creates a function that reads a given number of bytes and waits until they have arrived. */
function createReader(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): (length: number) => Promise<Uint8Array<ArrayBuffer>> {
  let rest: Uint8Array = new Uint8Array(0);
  return async (length) => {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (rest.length === 0) {
        const { value, done } = await reader.read();
        if (done) throw new Deno.errors.UnexpectedEof("the connection to the kernel has ended");
        rest = value;
      }
      const part = rest.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
    }
    return bytes;
  };
}

/** The content of a message by key. */
export type MessageContent = Readonly<Record<string, unknown>>;

/** The frames of a message, and the id to which replies refer. */
type EncodedMessage = { readonly id: string; readonly frames: readonly Uint8Array[] };

const DELIMITER = "<IDS|MSG>";
const decoder = new TextDecoder();

/** Creates an encoder for the messages of one session, which signs them with the kernel's key. */
export function createEncoder(
  key: string,
): (type: string, content: MessageContent) => EncodedMessage {
  let count = 0;
  return (type, content) => {
    const id = `${key}-${++count}`;
    const header = {
      msg_id: id,
      session: key,
      username: "run_notebook",
      date: "1970-01-01T00:00:00Z", // required, but not used
      msg_type: type,
      version: "5.3",
    };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const signature = createHmac("sha256", key).update(parts.join("")).digest("hex");
    return { id, frames: [DELIMITER, signature, ...parts].map((part) => Buffer.from(part)) };
  };
}

/** Calls `take` with the type, the parent's id and the content of each message of a socket, until it closes. */
export async function takeMessages(
  socket: ZmtpSocket,
  take: (type: string, parent: string, content: MessageContent) => void,
): Promise<void> {
  for await (const message of socket.messages()) {
    const frames = message.map((frame) => decoder.decode(frame));
    const start = frames.indexOf(DELIMITER) + 2; // the signature is not checked
    const [header, parent, , content] = frames.slice(start, start + 4).map(parseRecord);
    if (header && content) take(String(header["msg_type"]), String(parent?.["msg_id"]), content);
  }
}

function parseRecord(text: string): MessageContent | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null; // not a Jupyter message
  }
}
