// Owns files that are written whole: beside the old one, synced, renamed. It refuses to write in place, where a kill in the
// middle would leave half of it.

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Puts a text in a file's place; when it returns, the text is on disk, and at no moment was there half of it.
 * @param mode of a new file; by default only its owner may read it.
 */
export function writeWhole(file: string, text: string | Uint8Array, mode = 0o600): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  // Another process may be writing the same file: each has its own beside it, and the last one stands.
  const beside = `${file}.${process.pid}.next`;
  const descriptor = openSync(beside, "w", mode);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(beside, file);
  syncFolder(folder);
}

/** A rename is in the folder, which has to be written too. */
function syncFolder(folder: string): void {
  // Windows opens no folders, and keeps its names by itself.
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
