// Owns a job in AssemblyScript that counts words: {"text": "..."} in, {"words": 3, "longest": "...", "top": [["the", 2], ...]} out.
// It refuses, with status 2, input that is no such object.
//
//   cp words.as words.ts; asc words.ts --outFile words.wasm --optimize --exportStart _start --use abort=words/abort

@external("wasi_snapshot_preview1", "fd_read")
declare function fdRead(file: i32, list: usize, count: i32, read: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fdWrite(file: i32, list: usize, count: i32, written: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function exit(code: i32): void;

export function abort(message: usize, file: usize, line: i32, column: i32): void { exit(134); }

const list = memory.data(8);
const done = memory.data(4);

function write(file: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  let at: usize = 0;
  while (at < <usize>bytes.byteLength) {
    store<usize>(list, changetype<usize>(bytes) + at);
    store<i32>(list, bytes.byteLength - <i32>at, 4);
    if (fdWrite(file, list, 1, done) != 0) exit(1);
    at += load<u32>(done);
  }
}

function refuse(why: string): void {
  write(2, why + "\n");
  exit(2);
}

function readAll(): string {
  let room = 65536;
  let length = 0;
  let bytes = new Uint8Array(room);
  for (;;) {
    store<usize>(list, bytes.dataStart + length);
    store<i32>(list, room - length, 4);
    if (fdRead(0, list, 1, done) != 0) exit(1);
    const got = load<i32>(done);
    if (got == 0) break;
    length += got;
    if (length == room) {
      const larger = new Uint8Array(room * 2);
      larger.set(bytes);
      bytes = larger;
      room *= 2;
    }
  }
  return String.UTF8.decodeUnsafe(bytes.dataStart, length);
}

/** The string after `"text":`, with its escapes undone. */
function textOf(json: string): string {
  let at = json.indexOf('"text"');
  if (!json.trim().startsWith("{") || at < 0) refuse('the input is no {"text": "..."}');
  at = json.indexOf('"', json.indexOf(":", at + 6)) + 1;
  if (at < 1) refuse("text is no string");
  const parts = new Array<string>();
  for (;;) {
    if (at >= json.length) refuse("the string has no end");
    const c = json.charCodeAt(at);
    if (c == 0x22) break;
    if (c != 0x5c) {
      parts.push(json.charAt(at));
      at += 1;
      continue;
    }
    const escape = json.charAt(at + 1);
    at += 2;
    if (escape == "u") {
      parts.push(String.fromCharCode(<i32>parseInt(json.substr(at, 4), 16)));
      at += 4;
    } else parts.push(escape == "n" ? "\n" : escape == "t" ? "\t" : escape == "r" ? "\r" : escape);
  }
  return parts.join("");
}

function isLetter(c: i32): bool {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x7a) || c == 0x27 || c > 0xbf;
}

const counts = new Map<string, i32>();
const text = textOf(readAll()).toLowerCase();
let words = 0;
let longest = "";
for (let at = 0; at < text.length; ) {
  let end = at;
  while (end < text.length && isLetter(text.charCodeAt(end))) end += 1;
  if (end > at) {
    const word = text.substring(at, end);
    words += 1;
    if (word.length > longest.length) longest = word;
    counts.set(word, (counts.has(word) ? counts.get(word) : 0) + 1);
  }
  at = end + 1;
}
const ranked = counts.keys();
ranked.sort((a, b) => counts.get(a) != counts.get(b) ? counts.get(b) - counts.get(a) : a < b ? -1 : 1);
const top = new Array<string>();
for (let place = 0; place < min(5, ranked.length); place++)
  top.push('["' + ranked[place] + '",' + counts.get(ranked[place]).toString() + "]");
write(1, '{"words":' + words.toString() + ',"longest":"' + longest + '","top":[' + top.join(",") + "]}\n");
