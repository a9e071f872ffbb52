/**
 * Messages of the Jupyter protocol: encoding with signature and id, and decoding.
 *
 * Protocol 5.3: https://jupyter-client.readthedocs.io/en/stable/messaging.html
 * @module
 */

import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { isRecord } from "./nbformat.ts";
import type { ZmtpSocket } from "./zmtp.ts";

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
