// Owns a job that makes a small picture of a large one: PNG in, PNG out, no wider than its argument says. It refuses what is no
// PNG of 8 bits a channel without interlacing, and pictures of more than 16 million points.
//
//   clang --target=wasm32-wasi --sysroot=/usr -O2 -o thumbnail.wasm thumbnail.c
//   polder job run thumbnail.wasm --most 0.01 --input photo.png --arg 128 > small.png
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(int code, const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(code);
}

static uint32_t big(const uint8_t *at) { return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }

// --- Inflate (RFC 1951) ---

typedef struct { const uint8_t *at, *end; uint32_t bits; int count; } Bits;
typedef struct { uint16_t count[16], symbol[288]; } Code;

static int take(Bits *in, int count) {
  while (in->count < count) {
    if (in->at == in->end) fail(3, "the picture breaks off");
    in->bits |= (uint32_t)*in->at++ << in->count;
    in->count += 8;
  }
  int value = in->bits & ((1u << count) - 1);
  in->bits >>= count;
  in->count -= count;
  return value;
}

static void build(Code *code, const uint8_t *lengths, int symbols) {
  uint16_t place[16];
  memset(code->count, 0, sizeof code->count);
  for (int symbol = 0; symbol < symbols; symbol++) code->count[lengths[symbol]]++;
  code->count[0] = 0;
  place[0] = place[1] = 0;
  for (int length = 1; length < 15; length++) place[length + 1] = place[length] + code->count[length];
  for (int symbol = 0; symbol < symbols; symbol++)
    if (lengths[symbol]) code->symbol[place[lengths[symbol]]++] = symbol;
}

static int decode(Bits *in, const Code *code) {
  int word = 0, first = 0, index = 0;
  for (int length = 1; length < 16; length++) {
    word |= take(in, 1);
    int count = code->count[length];
    if (word - first < count) return code->symbol[index + word - first];
    index += count;
    first = (first + count) << 1;
    word <<= 1;
  }
  fail(3, "the picture is damaged");
  return 0;
}

static void codes(Bits *in, Code *literals, Code *distances) {
  static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  uint8_t lengths[320] = {0};
  int literal = take(in, 5) + 257, distance = take(in, 5) + 1, own = take(in, 4) + 4;
  for (int place = 0; place < own; place++) lengths[order[place]] = take(in, 3);
  build(literals, lengths, 19);
  Code written = *literals;
  memset(lengths, 0, sizeof lengths);
  for (int place = 0; place < literal + distance;) {
    int symbol = decode(in, &written), value = 0, times = 1;
    if (symbol < 16) value = symbol;
    else if (symbol == 16) {
      if (place == 0) fail(3, "the picture is damaged");
      value = lengths[place - 1];
      times = 3 + take(in, 2);
    } else times = symbol == 17 ? 3 + take(in, 3) : 11 + take(in, 7);
    if (place + times > literal + distance) fail(3, "the picture is damaged");
    while (times-- > 0) lengths[place++] = value;
  }
  build(literals, lengths, literal > 288 ? 288 : literal);
  build(distances, lengths + literal, distance);
}

static void inflate(const uint8_t *from, size_t length, uint8_t *to, size_t room) {
  static const uint16_t bases[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                     31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  static const uint8_t extras[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  static const uint16_t far[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                   193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
  Bits in = {from, from + length, 0, 0};
  size_t done = 0;
  for (int last = 0; !last;) {
    last = take(&in, 1);
    int kind = take(&in, 2);
    if (kind == 0) {
      in.bits = in.count = 0;
      if (in.end - in.at < 4) fail(3, "the picture breaks off");
      size_t size = in.at[0] | in.at[1] << 8;
      in.at += 4;
      if ((size_t)(in.end - in.at) < size || done + size > room) fail(3, "the picture is damaged");
      memcpy(to + done, in.at, size);
      in.at += size;
      done += size;
      continue;
    }
    Code literals, distances;
    if (kind == 1) {
      uint8_t fixed[288], five[30];
      for (int symbol = 0; symbol < 288; symbol++) fixed[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
      memset(five, 5, sizeof five);
      build(&literals, fixed, 288);
      build(&distances, five, 30);
    } else if (kind == 2) codes(&in, &literals, &distances);
    else fail(3, "the picture is damaged");
    for (int symbol; (symbol = decode(&in, &literals)) != 256;) {
      if (symbol < 256) {
        if (done == room) fail(3, "the picture is damaged");
        to[done++] = symbol;
        continue;
      }
      if (symbol > 285) fail(3, "the picture is damaged");
      size_t times = bases[symbol - 257] + take(&in, extras[symbol - 257]);
      int step = decode(&in, &distances);
      if (step > 29) fail(3, "the picture is damaged");
      size_t back = far[step] + take(&in, step < 2 ? 0 : step / 2 - 1);
      if (back > done || done + times > room) fail(3, "the picture is damaged");
      for (; times > 0; times--, done++) to[done] = to[done - back];
    }
  }
  if (done != room) fail(3, "the picture breaks off");
}

// --- Reading a PNG (ISO 15948) ---

typedef struct { int width, height; uint8_t *points; } Picture;  // points: four bytes each, red first

static void unfilter(uint8_t *rows, int height, size_t row, int step) {
  for (int y = 0; y < height; y++) {
    uint8_t *at = rows + y * (row + 1), kind = *at++;
    const uint8_t *above = y == 0 ? NULL : at - row - 1;
    if (kind > 4) fail(3, "the picture is damaged");
    for (size_t x = 0; x < row; x++) {
      int a = x < (size_t)step ? 0 : at[x - step], b = above ? above[x] : 0;
      int c = above && x >= (size_t)step ? above[x - step] : 0, p = a + b - c;
      int pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
      int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      at[x] += kind == 0 ? 0 : kind == 1 ? a : kind == 2 ? b : kind == 3 ? (a + b) / 2 : paeth;
    }
  }
}

static Picture readPng(const uint8_t *file, size_t length) {
  static const uint8_t mark[8] = {137, 80, 78, 71, 13, 10, 26, 10};
  static const int channels[7] = {1, 0, 3, 1, 2, 0, 4};
  if (length < 33 || memcmp(file, mark, 8) || memcmp(file + 12, "IHDR", 4)) fail(2, "not a PNG");
  uint32_t width = big(file + 16), height = big(file + 20);
  int colour = file[25];
  if (file[24] != 8 || colour > 6 || !channels[colour] || file[28]) fail(2, "only 8 bits a channel, not interlaced");
  if (!width || !height || width > 16384 || height > 16384 || (uint64_t)width * height > 16000000) fail(2, "too large");
  uint8_t palette[256][4] = {{0}}, *packed = malloc(length);
  size_t bytes = 0;
  if (!packed) fail(4, "no memory");
  for (int colours = 0; colours < 256; colours++) palette[colours][3] = 255;
  for (size_t at = 8; at + 12 <= length;) {
    uint32_t size = big(file + at);
    const uint8_t *name = file + at + 4, *data = file + at + 8;
    if (size > length - at - 12) fail(3, "the picture breaks off");
    if (!memcmp(name, "IDAT", 4)) memcpy(packed + bytes, data, size), bytes += size;
    if (!memcmp(name, "PLTE", 4)) for (uint32_t n = 0; n < size / 3 && n < 256; n++) memcpy(palette[n], data + 3 * n, 3);
    if (!memcmp(name, "tRNS", 4) && colour == 3) for (uint32_t n = 0; n < size && n < 256; n++) palette[n][3] = data[n];
    at += size + 12;
  }
  if (bytes < 6) fail(3, "the picture breaks off");
  int step = channels[colour];
  size_t row = (size_t)width * step;
  uint8_t *rows = malloc((row + 1) * height), *points = malloc((size_t)width * height * 4);
  if (!rows || !points) fail(4, "no memory");
  inflate(packed + 2, bytes - 2, rows, (row + 1) * height);
  unfilter(rows, height, row, step);
  for (uint32_t y = 0; y < height; y++)
    for (uint32_t x = 0; x < width; x++) {
      const uint8_t *from = rows + y * (row + 1) + 1 + (size_t)x * step;
      uint8_t *to = points + ((size_t)y * width + x) * 4;
      if (colour == 3) memcpy(to, palette[*from], 4);
      else {
        int grey = step < 3;
        to[0] = from[0], to[1] = from[grey ? 0 : 1], to[2] = from[grey ? 0 : 2];
        to[3] = step == 4 ? from[3] : step == 2 ? from[1] : 255;
      }
    }
  free(packed), free(rows);
  return (Picture){width, height, points};
}

// --- Scaling: each point is the mean of the area it stands for, weighted by how much it covers ---

static Picture scale(Picture from, int width) {
  if (width >= from.width) return from;
  int height = (int)((int64_t)from.height * width / from.width);
  if (height < 1) height = 1;
  uint8_t *points = malloc((size_t)width * height * 4);
  if (!points) fail(4, "no memory");
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      int top = (int64_t)y * from.height / height, bottom = (int64_t)(y + 1) * from.height / height;
      int left = (int64_t)x * from.width / width, right = (int64_t)(x + 1) * from.width / width;
      uint64_t sums[3] = {0}, cover = 0, count = (uint64_t)(bottom - top) * (right - left);
      for (int v = top; v < bottom; v++)
        for (int u = left; u < right; u++) {
          const uint8_t *at = from.points + ((size_t)v * from.width + u) * 4;
          for (int c = 0; c < 3; c++) sums[c] += (uint64_t)at[c] * at[3];
          cover += at[3];
        }
      uint8_t *to = points + ((size_t)y * width + x) * 4;
      for (int c = 0; c < 3; c++) to[c] = cover ? (sums[c] + cover / 2) / cover : 0;
      to[3] = count ? (cover + count / 2) / count : 0;
    }
  return (Picture){width, height, points};
}

// --- Writing a PNG: rows as they are, in stored blocks; a thumbnail is small enough for that ---

static uint32_t table[256];

static uint32_t check(uint32_t sum, const uint8_t *at, size_t length) {
  while (length--) sum = table[(sum ^ *at++) & 255] ^ sum >> 8;
  return sum;
}

static void chunk(const char *name, const uint8_t *data, uint32_t length) {
  uint32_t sum = ~check(check(~0u, (const uint8_t *)name, 4), data, length);
  uint8_t head[8] = {length >> 24, length >> 16, length >> 8, length}, tail[4] = {sum >> 24, sum >> 16, sum >> 8, sum};
  memcpy(head + 4, name, 4);
  fwrite(head, 1, 8, stdout), fwrite(data, 1, length, stdout), fwrite(tail, 1, 4, stdout);
}

static void writePng(Picture picture) {
  size_t row = (size_t)picture.width * 4 + 1, size = row * picture.height, blocks = (size + 65534) / 65535, at = 2;
  uint8_t *rows = calloc(1, size), *packed = malloc(size + 5 * blocks + 6);
  if (!rows || !packed) fail(4, "no memory");
  for (int y = 0; y < picture.height; y++) memcpy(rows + y * row + 1, picture.points + y * (row - 1), row - 1);
  packed[0] = 0x78, packed[1] = 0x01;
  for (size_t done = 0; done < size;) {
    size_t part = size - done > 65535 ? 65535 : size - done;
    uint8_t head[5] = {done + part == size, part, part >> 8, ~part, ~part >> 8};
    memcpy(packed + at, head, 5), memcpy(packed + at + 5, rows + done, part);
    at += part + 5, done += part;
  }
  uint32_t a = 1, b = 0;
  for (size_t n = 0; n < size; n++) a = (a + rows[n]) % 65521, b = (b + a) % 65521;
  uint8_t sum[4] = {b >> 8, b, a >> 8, a};
  memcpy(packed + at, sum, 4);
  for (uint32_t n = 0; n < 256; n++) {
    uint32_t value = n;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320u ^ value >> 1 : value >> 1;
    table[n] = value;
  }
  uint32_t w = picture.width, h = picture.height;
  uint8_t header[13] = {w >> 24, w >> 16, w >> 8, w, h >> 24, h >> 16, h >> 8, h, 8, 6, 0, 0, 0};
  fwrite("\x89PNG\r\n\x1a\n", 1, 8, stdout);
  chunk("IHDR", header, 13), chunk("IDAT", packed, at + 4), chunk("IEND", packed, 0);
}

int main(int argc, char **argv) {
  int width = argc > 1 ? atoi(argv[1]) : 128;
  if (width < 1 || width > 1024) fail(2, "a thumbnail is 1 to 1024 points wide");
  size_t length = 0, room = 1 << 16;
  uint8_t *file = malloc(room);
  for (size_t got; file && (got = fread(file + length, 1, room - length, stdin)) > 0;)
    if ((length += got) == room) file = realloc(file, room *= 2);
  if (!file) fail(4, "no memory");
  writePng(scale(readPng(file, length), width));
  return 0;
}
