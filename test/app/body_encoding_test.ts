import { deepStrictEqual } from "node:assert/strict";
import { checkSchema } from "./ask_api.ts";
import { withServedApp } from "./served_app.ts";

/** Posts bytes to `/api/predict`; returns the status and, if rejected, the error's code and message. */
async function postBytes(
  address: string,
  bytes: Uint8Array<ArrayBuffer>,
  coding?: string,
): Promise<unknown[]> {
  const response = await fetch(`${address}api/predict`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...coding === undefined ? {} : { "Content-Encoding": coding },
    },
    body: bytes,
  });
  const body = await response.json();
  if (response.ok) return [response.status];
  checkSchema("Error", body);
  return [response.status, body.error.code, body.error.message];
}

Deno.test("API bodies that are compressed or not UTF-8 are rejected, and the message names the encoding", async () => {
  const json = new TextEncoder().encode('{"texts":["crêpe"]}');
  const latin1 = Uint8Array.from('{"texts":["crêpe"]}', (character) => character.charCodeAt(0));
  const utf16 = new Uint8Array(new Uint16Array(latin1).buffer); // without a byte-order mark
  await withServedApp(async ({ address }) => {
    deepStrictEqual(await postBytes(address, json), [200]);
    deepStrictEqual(await postBytes(address, json, "identity"), [200]);
    deepStrictEqual(
      await postBytes(address, new Uint8Array([0xef, 0xbb, 0xbf, ...json])),
      [200],
      "a UTF-8 byte-order mark is ignored",
    );
    deepStrictEqual(await postBytes(address, latin1), [
      400,
      "bad_request",
      "Cannot read body: it is not UTF-8 (line 1, byte offset 13 is 0xEA); it looks like " +
      "Latin-1 or Windows-1252: convert it to UTF-8, for example with " +
      "iconv -f WINDOWS-1252 -t UTF-8",
    ]);
    deepStrictEqual(await postBytes(address, utf16), [
      400,
      "bad_request",
      "Cannot read body: it is not UTF-8 (line 1, byte offset 26 is 0xEA); it looks like " +
      "UTF-16 without a byte-order mark: convert it to UTF-8, for example with " +
      "iconv -f UTF-16LE -t UTF-8",
    ]);
    for (const coding of ["gzip", "br"]) {
      deepStrictEqual(await postBytes(address, json, coding), [
        415,
        "unsupported_encoding",
        `Content-Encoding ${coding} is not supported: send the body uncompressed`,
      ]);
    }
  });
});
