// Owns the programs that apps would send, as sources: a thumbnail of a picture in C, a small network's inference in C,
// statistics of a meter's day in AssemblyScript, a checksum in text. It refuses toys that never touch their input.

/** Reads a picture (PPM, P6), scales it by areas to the width that is asked for, and writes the same format. */
export const THUMBNAIL_C = `
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int number(void) {
  int c = getchar(), value = 0;
  while (c == ' ' || c == '\\n' || c == '#') {
    if (c == '#') while (c != '\\n' && c != EOF) c = getchar();
    c = getchar();
  }
  if (c < '0' || c > '9') { fputs("not a picture\\n", stderr); exit(2); }
  while (c >= '0' && c <= '9') { value = value * 10 + c - '0'; c = getchar(); }
  return value;
}

int main(int argc, char **argv) {
  int target = argc > 1 ? atoi(argv[1]) : 64;
  if (getchar() != 'P' || getchar() != '6') { fputs("not a picture\\n", stderr); return 2; }
  int width = number(), height = number(), most = number();
  if (width < 1 || height < 1 || width > 8192 || height > 8192 || most != 255 || target < 1) return 3;
  uint8_t *source = malloc((size_t)width * height * 3);
  if (!source || fread(source, 3, (size_t)width * height, stdin) != (size_t)width * height) return 4;
  int rows = (int)((int64_t)height * target / width);
  if (rows < 1) rows = 1;
  uint8_t *scaled = malloc((size_t)target * rows * 3);
  if (!scaled) return 5;
  float scaleX = (float)width / target, scaleY = (float)height / rows;
  for (int y = 0; y < rows; y++)
    for (int x = 0; x < target; x++) {
      float sums[3] = {0, 0, 0}, weight = 0;
      float top = y * scaleY, bottom = top + scaleY, left = x * scaleX, right = left + scaleX;
      for (int v = (int)top; v < bottom && v < height; v++)
        for (int u = (int)left; u < right && u < width; u++) {
          float high = v < top ? v + 1 - top : 1, wide = u < left ? u + 1 - left : 1;
          if (v + 1 > bottom) high -= v + 1 - bottom;
          if (u + 1 > right) wide -= u + 1 - right;
          float area = high * wide;
          for (int c = 0; c < 3; c++) sums[c] += area * source[((size_t)v * width + u) * 3 + c];
          weight += area;
        }
      for (int c = 0; c < 3; c++)
        scaled[((size_t)y * target + x) * 3 + c] = (uint8_t)(sums[c] / weight + 0.5f);
    }
  printf("P6\\n%d %d\\n255\\n", target, rows);
  fwrite(scaled, 3, (size_t)target * rows, stdout);
  return 0;
}`;

/** A network of two layers over the input's bytes, as many times as its argument says; prints the scores. */
export const INFERENCE_C = `
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 256, HIDDEN = 128, SCORES = 10 };
static float first[HIDDEN][INPUTS], second[SCORES][HIDDEN];
static uint32_t state = 12345;
static float weight(void) {
  state = state * 1664525u + 1013904223u;
  return ((int32_t)(state >> 8) - (1 << 23)) / (float)(1 << 26);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 20;
  static float inputs[INPUTS], hidden[HIDDEN], scores[SCORES];
  uint8_t bytes[INPUTS] = {0};
  fread(bytes, 1, INPUTS, stdin);
  for (int h = 0; h < HIDDEN; h++) for (int i = 0; i < INPUTS; i++) first[h][i] = weight();
  for (int s = 0; s < SCORES; s++) for (int h = 0; h < HIDDEN; h++) second[s][h] = weight();
  for (int i = 0; i < INPUTS; i++) inputs[i] = bytes[i] / 255.0f;
  for (int round = 0; round < rounds; round++) {
    for (int h = 0; h < HIDDEN; h++) {
      float sum = 0;
      for (int i = 0; i < INPUTS; i++) sum += first[h][i] * inputs[i];
      hidden[h] = tanhf(sum + 0.01f * round);
    }
    float total = 0;
    for (int s = 0; s < SCORES; s++) {
      float sum = 0;
      for (int h = 0; h < HIDDEN; h++) sum += second[s][h] * hidden[h];
      scores[s] = expf(sum);
      total += scores[s];
    }
    for (int s = 0; s < SCORES; s++) scores[s] /= total;
    for (int i = 0; i < INPUTS; i++) inputs[i] = inputs[i] * 0.9f + scores[i % SCORES] * 0.1f;
  }
  for (int s = 0; s < SCORES; s++) printf("%.6f\\n", scores[s]);
  return 0;
}`;

/** Reads 16-bit readings and prints their sum, least, greatest and mean as a command without a library would. */
export const STATISTICS_ASSEMBLYSCRIPT = `
@external("wasi_snapshot_preview1", "fd_read")
declare function fdRead(file: i32, list: usize, count: i32, read: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fdWrite(file: i32, list: usize, count: i32, written: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function exit(code: i32): void;

export function abort(message: usize, file: usize, line: i32, column: i32): void { exit(134); }

const list = memory.data(8);
const done = memory.data(4);

function write(text: string): void {
  const bytes = String.UTF8.encode(text);
  store<usize>(list, changetype<usize>(bytes));
  store<i32>(list, bytes.byteLength, 4);
  fdWrite(1, list, 1, done);
}

const readings = new Array<i32>();
const buffer = new ArrayBuffer(512);
for (;;) {
  store<usize>(list, changetype<usize>(buffer));
  store<i32>(list, 512, 4);
  fdRead(0, list, 1, done);
  const length = load<i32>(done);
  for (let at = 0; at + 1 < length; at += 2) readings.push(load<u16>(changetype<usize>(buffer) + at));
  if (length < 512) break;
}
let sum: i64 = 0;
let least = i32.MAX_VALUE;
let greatest = 0;
readings.sort((left, right) => left - right);
for (let index = 0; index < readings.length; index++) {
  sum += readings[index];
  least = min(least, readings[index]);
  greatest = max(greatest, readings[index]);
}
write("sum " + sum.toString() + "\\n");
write("from " + least.toString() + " to " + greatest.toString() + "\\n");
write("mean " + (f64(sum) / f64(readings.length)).toString() + "\\n");
`;

/** Reads everything and writes an Adler-32 checksum of it in eight bytes, 256 times over the same input. */
export const CHECKSUM_WAT = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\00\\10\\00\\00\\00\\80\\00\\00")
  (func $adler (param $at i32) (param $end i32) (param $sum i64) (result i64)
    (loop $bytes
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (i32.load8_u (local.get $at)))))
      (local.set $sum (i64.add (local.get $sum) (i64.shl (i64.rem_u (i64.and (local.get $sum) (i64.const 0xffffffff)) (i64.const 65521)) (i64.const 32))))
      (br_if $bytes (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
    (local.get $sum))
  (func (export "_start") (local $rounds i32) (local $sum i64)
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $again
      (local.set $sum (call $adler (i32.const 4096) (i32.add (i32.const 4097) (i32.load (i32.const 8))) (local.get $sum)))
      (br_if $again (i32.lt_u (local.tee $rounds (i32.add (local.get $rounds) (i32.const 1))) (i32.const 256))))
    (i64.store (i32.const 16) (local.get $sum))
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 8))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

/** A picture of so many pixels a side, the same each time. */
export function picture(side: number): Uint8Array {
  const head = new TextEncoder().encode(`P6\n# a dike\n${side} ${side}\n255\n`);
  const bytes = new Uint8Array(head.length + side * side * 3);
  bytes.set(head);
  for (let pixel = 0; pixel < side * side; pixel += 1) {
    const x = pixel % side;
    const y = Math.floor(pixel / side);
    bytes.set([(x * 7 + y) & 255, (x ^ y) & 255, (y * 3) & 255], head.length + pixel * 3);
  }
  return bytes;
}
