// Owns meter files as streams of bytes: plain, gzip, or the members of a zip, or all files of a folder. It refuses what
// unpacks to far more than a meter could have written, what is cut off, and members that are encrypted.

import { createReadStream, statSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { crc32, createGunzip } from "node:zlib";
import yauzl, { type Entry, type ZipFile } from "yauzl";
import { MeterFileError } from "./interval.ts";

/** One file of readings, wherever it is packed. */
export interface Member {
  /** For people: the file's name, and the member's within a zip. */
  readonly name: string;
  /** Begins to read it, from the first byte on, as often as it is asked. Throws MeterFileError while it is read. */
  open(): AsyncIterable<Uint8Array>;
}

/** Unpacked bytes of one file, or of all members of a zip: ten years of one-second readings of a few registers. */
const MAX_UNPACKED_BYTES = 8 * 2 ** 30;
/** Meter files shrink to a tenth or a thirtieth; what shrinks to less than this is made to fill a memory. */
const MAX_RATIO = 200;
/** Below this the ratio does not matter. */
const HARMLESS_BYTES = 16 * 2 ** 20;
/** Members of a zip, and files of a folder: a file a day for ten years. */
const MAX_MEMBERS = 4_000;
const READ_BYTES = 256 * 1024;

/** The files of readings at a path: a file, the members of a zip, or what a folder holds, by name. @throws MeterFileError */
export async function membersOf(path: string): Promise<Member[]> {
  const name = basename(path);
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(name, error);
  }
  if (!isFolder) return fileMembers(path, name);
  const names = (await readdir(path)).filter((entry) => !entry.startsWith(".")).sort();
  if (names.length > MAX_MEMBERS) throw new MeterFileError(name, `has more than ${MAX_MEMBERS} files`);
  const members: Member[] = [];
  for (const entry of names) {
    const inside = join(path, entry);
    if (statSync(inside).isFile()) members.push(...(await fileMembers(inside, `${name}/${entry}`)));
  }
  if (members.length === 0) throw new MeterFileError(name, "is a folder without files");
  return members;
}

async function fileMembers(path: string, name: string): Promise<Member[]> {
  const magic = await firstBytes(path, name, 4);
  if (magic.subarray(0, 4).equals(Buffer.from("PK\x03\x04"))) return zipMembers(path, name);
  if (magic[0] === 0x1f && magic[1] === 0x8b) return [{ name, open: () => unpacked(path, name) }];
  return [{ name, open: () => plain(path, name) }];
}

/** The first bytes of a file; fewer where it is shorter. */
async function firstBytes(path: string, name: string, length: number): Promise<Buffer> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(name, error);
  }
}

async function* plain(path: string, name: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) yield chunk;
  } catch (error) {
    throw unreadable(name, error);
  }
}

async function* unpacked(path: string, name: string): AsyncGenerator<Uint8Array> {
  const packed = createReadStream(path, { highWaterMark: READ_BYTES });
  const gunzip = createGunzip({ chunkSize: READ_BYTES });
  // What goes wrong is thrown by the iteration.
  pipeline(packed, gunzip, () => {});
  yield* bounded(gunzip, name, () => packed.bytesRead);
}

/** Passes bytes on while they are as many as their packed size can explain. */
async function* bounded(
  stream: Readable,
  name: string,
  packedBytes: () => number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += (chunk as Uint8Array).length;
      assertSize(bytes, packedBytes(), name);
      yield chunk;
    }
  } catch (error) {
    throw unreadable(name, error);
  }
}

function assertSize(bytes: number, packedBytes: number, name: string): void {
  if (bytes > MAX_UNPACKED_BYTES)
    throw new MeterFileError(name, `unpacks to more than ${MAX_UNPACKED_BYTES / 2 ** 30} GiB`);
  if (bytes > HARMLESS_BYTES && bytes > packedBytes * MAX_RATIO)
    throw new MeterFileError(name, `unpacks to more than ${MAX_RATIO} times its size: no meter file does`);
}

function unreadable(name: string, error: unknown): MeterFileError {
  if (error instanceof MeterFileError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return new MeterFileError(name, "is not there");
  if (code === "Z_BUF_ERROR")
    return new MeterFileError(name, "is cut off: its packed data ends in the middle");
  return new MeterFileError(name, `cannot be read: ${message}`);
}

async function zipMembers(path: string, name: string): Promise<Member[]> {
  const packedBytes = statSync(path).size;
  const entries = await listEntries(path, name);
  let bytes = 0;
  for (const entry of entries) {
    bytes += entry.uncompressedSize;
    assertSize(bytes, packedBytes, name);
    if (entry.isEncrypted()) throw new MeterFileError(`${name}/${entry.fileName}`, "is encrypted");
  }
  if (entries.length === 0) throw new MeterFileError(name, "is a zip without files");
  return entries.map((entry) => {
    const inside = `${name}/${entry.fileName.replace(/\p{Cc}/gu, " ")}`;
    return { name: inside, open: () => entryBytes(path, inside, entry) };
  });
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error === null) resolve(zip);
      else reject(error);
    });
  });
}

async function listEntries(path: string, name: string): Promise<Entry[]> {
  let zip: ZipFile;
  try {
    zip = await openZip(path);
  } catch (error) {
    throw unreadable(name, error);
  }
  try {
    if (zip.entryCount > MAX_MEMBERS) throw new MeterFileError(name, `has more than ${MAX_MEMBERS} members`);
    return await new Promise((resolve, reject) => {
      const entries: Entry[] = [];
      zip.on("error", (error: Error) => reject(unreadable(name, error)));
      zip.on("end", () => resolve(entries));
      zip.on("entry", (entry: Entry) => {
        if (!entry.fileName.endsWith("/")) entries.push(entry);
        zip.readEntry();
      });
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
}

/** Bytes of a member; its stated size is checked while it is read, so that it bounds what comes, and its checksum after. */
async function* entryBytes(path: string, name: string, entry: Entry): AsyncGenerator<Uint8Array> {
  let zip: ZipFile;
  try {
    zip = await openZip(path);
  } catch (error) {
    throw unreadable(name, error);
  }
  try {
    const stream = await new Promise<Readable>((resolve, reject) => {
      zip.openReadStream(entry, (error, readable) => {
        if (error === null) resolve(readable);
        else reject(unreadable(name, error));
      });
    });
    let checksum = 0;
    for await (const chunk of bounded(stream, name, () => entry.compressedSize)) {
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (checksum !== entry.crc32) throw new MeterFileError(name, "is damaged: its checksum does not match");
  } finally {
    zip.close();
  }
}
