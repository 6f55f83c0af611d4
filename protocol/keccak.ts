// Owns Keccak-256 (the hash of EIP-712 and addresses, with the original padding of the Keccak submission). It refuses
// nothing. It is ours because every request hashes eight blocks or more: with its lanes in local variables the
// permutation takes half the time that a loop over an array does. A test holds it equal to the library's.

/** Bytes absorbed at a time: 1600 bits of state less twice the 256 of the digest. */
const RATE = 136;

/** The state as 25 lanes of 64 bits, each its low and then its high 32. Reused: nothing here waits or calls back. */
const lanes = new Int32Array(50);

/** Round constants (FIPS 202, 3.2.5), low and high halves. */
// biome-ignore format: a table
const ROUNDS = Int32Array.of(
  0x1, 0x0, 0x8082, 0x0, 0x808a, 0x80000000, 0x80008000, 0x80000000,
  0x808b, 0x0, 0x80000001, 0x0, 0x80008081, 0x80000000, 0x8009, 0x80000000,
  0x8a, 0x0, 0x88, 0x0, 0x80008009, 0x0, 0x8000000a, 0x0,
  0x8000808b, 0x0, 0x8b, 0x80000000, 0x8089, 0x80000000, 0x8003, 0x80000000,
  0x8002, 0x80000000, 0x80, 0x80000000, 0x800a, 0x0, 0x8000000a, 0x80000000,
  0x80008081, 0x80000000, 0x8080, 0x80000000, 0x80000001, 0x0, 0x80008008, 0x80000000,
);

/** Keccak-256 of bytes, 32 bytes. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  lanes.fill(0);
  let offset = 0;
  for (; offset + RATE <= bytes.length; offset += RATE) {
    for (let lane = 0; lane < RATE / 4; lane += 1) {
      const at = offset + 4 * lane;
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      lanes[lane] = (lanes[lane] as number) ^ word;
    }
    permute(lanes);
  }
  const rest = bytes.length - offset;
  for (let index = 0; index < rest; index += 1) absorb(index, bytes[offset + index] as number);
  absorb(rest, 0x01);
  absorb(RATE - 1, 0x80);
  permute(lanes);
  const digest = new Uint8Array(32);
  for (let index = 0; index < 32; index += 1)
    digest[index] = (lanes[index >> 2] as number) >> (8 * (index & 3));
  return digest;
}

function absorb(index: number, byte: number): void {
  lanes[index >> 2] = (lanes[index >> 2] as number) ^ (byte << (8 * (index & 3)));
}

/**
 * Keccak-f[1600]. Lane x + 5y is `l` and `h` of that number; `p` and `q` are the lanes after theta, rho and pi. One
 * statement a step instead of loops, since engines keep these names in registers and on the stack.
 */
// biome-ignore format: a line a lane
function permute(s: Int32Array): void {
  let l0 = s[0] as number, h0 = s[1] as number, l1 = s[2] as number, h1 = s[3] as number;
  let l2 = s[4] as number, h2 = s[5] as number, l3 = s[6] as number, h3 = s[7] as number, l4 = s[8] as number, h4 = s[9] as number;
  let l5 = s[10] as number, h5 = s[11] as number, l6 = s[12] as number, h6 = s[13] as number;
  let l7 = s[14] as number, h7 = s[15] as number, l8 = s[16] as number, h8 = s[17] as number, l9 = s[18] as number, h9 = s[19] as number;
  let l10 = s[20] as number, h10 = s[21] as number, l11 = s[22] as number, h11 = s[23] as number;
  let l12 = s[24] as number, h12 = s[25] as number, l13 = s[26] as number, h13 = s[27] as number, l14 = s[28] as number, h14 = s[29] as number;
  let l15 = s[30] as number, h15 = s[31] as number, l16 = s[32] as number, h16 = s[33] as number;
  let l17 = s[34] as number, h17 = s[35] as number, l18 = s[36] as number, h18 = s[37] as number, l19 = s[38] as number, h19 = s[39] as number;
  let l20 = s[40] as number, h20 = s[41] as number, l21 = s[42] as number, h21 = s[43] as number;
  let l22 = s[44] as number, h22 = s[45] as number, l23 = s[46] as number, h23 = s[47] as number, l24 = s[48] as number, h24 = s[49] as number;
  for (let round = 0; round < 48; round += 2) {
    const c0 = l0 ^ l5 ^ l10 ^ l15 ^ l20, e0 = h0 ^ h5 ^ h10 ^ h15 ^ h20;
    const c1 = l1 ^ l6 ^ l11 ^ l16 ^ l21, e1 = h1 ^ h6 ^ h11 ^ h16 ^ h21;
    const c2 = l2 ^ l7 ^ l12 ^ l17 ^ l22, e2 = h2 ^ h7 ^ h12 ^ h17 ^ h22;
    const c3 = l3 ^ l8 ^ l13 ^ l18 ^ l23, e3 = h3 ^ h8 ^ h13 ^ h18 ^ h23;
    const c4 = l4 ^ l9 ^ l14 ^ l19 ^ l24, e4 = h4 ^ h9 ^ h14 ^ h19 ^ h24;
    const d0 = c4 ^ ((c1 << 1) | (e1 >>> 31)), g0 = e4 ^ ((e1 << 1) | (c1 >>> 31));
    const d1 = c0 ^ ((c2 << 1) | (e2 >>> 31)), g1 = e0 ^ ((e2 << 1) | (c2 >>> 31));
    const d2 = c1 ^ ((c3 << 1) | (e3 >>> 31)), g2 = e1 ^ ((e3 << 1) | (c3 >>> 31));
    const d3 = c2 ^ ((c4 << 1) | (e4 >>> 31)), g3 = e2 ^ ((e4 << 1) | (c4 >>> 31));
    const d4 = c3 ^ ((c0 << 1) | (e0 >>> 31)), g4 = e3 ^ ((e0 << 1) | (c0 >>> 31));
    const p0 = l0 ^ d0, q0 = h0 ^ g0;
    const p10 = ((l1 ^ d1) << 1) | ((h1 ^ g1) >>> 31), q10 = ((h1 ^ g1) << 1) | ((l1 ^ d1) >>> 31);
    const p20 = ((h2 ^ g2) << 30) | ((l2 ^ d2) >>> 2), q20 = ((l2 ^ d2) << 30) | ((h2 ^ g2) >>> 2);
    const p5 = ((l3 ^ d3) << 28) | ((h3 ^ g3) >>> 4), q5 = ((h3 ^ g3) << 28) | ((l3 ^ d3) >>> 4);
    const p15 = ((l4 ^ d4) << 27) | ((h4 ^ g4) >>> 5), q15 = ((h4 ^ g4) << 27) | ((l4 ^ d4) >>> 5);
    const p16 = ((h5 ^ g0) << 4) | ((l5 ^ d0) >>> 28), q16 = ((l5 ^ d0) << 4) | ((h5 ^ g0) >>> 28);
    const p1 = ((h6 ^ g1) << 12) | ((l6 ^ d1) >>> 20), q1 = ((l6 ^ d1) << 12) | ((h6 ^ g1) >>> 20);
    const p11 = ((l7 ^ d2) << 6) | ((h7 ^ g2) >>> 26), q11 = ((h7 ^ g2) << 6) | ((l7 ^ d2) >>> 26);
    const p21 = ((h8 ^ g3) << 23) | ((l8 ^ d3) >>> 9), q21 = ((l8 ^ d3) << 23) | ((h8 ^ g3) >>> 9);
    const p6 = ((l9 ^ d4) << 20) | ((h9 ^ g4) >>> 12), q6 = ((h9 ^ g4) << 20) | ((l9 ^ d4) >>> 12);
    const p7 = ((l10 ^ d0) << 3) | ((h10 ^ g0) >>> 29), q7 = ((h10 ^ g0) << 3) | ((l10 ^ d0) >>> 29);
    const p17 = ((l11 ^ d1) << 10) | ((h11 ^ g1) >>> 22), q17 = ((h11 ^ g1) << 10) | ((l11 ^ d1) >>> 22);
    const p2 = ((h12 ^ g2) << 11) | ((l12 ^ d2) >>> 21), q2 = ((l12 ^ d2) << 11) | ((h12 ^ g2) >>> 21);
    const p12 = ((l13 ^ d3) << 25) | ((h13 ^ g3) >>> 7), q12 = ((h13 ^ g3) << 25) | ((l13 ^ d3) >>> 7);
    const p22 = ((h14 ^ g4) << 7) | ((l14 ^ d4) >>> 25), q22 = ((l14 ^ d4) << 7) | ((h14 ^ g4) >>> 25);
    const p23 = ((h15 ^ g0) << 9) | ((l15 ^ d0) >>> 23), q23 = ((l15 ^ d0) << 9) | ((h15 ^ g0) >>> 23);
    const p8 = ((h16 ^ g1) << 13) | ((l16 ^ d1) >>> 19), q8 = ((l16 ^ d1) << 13) | ((h16 ^ g1) >>> 19);
    const p18 = ((l17 ^ d2) << 15) | ((h17 ^ g2) >>> 17), q18 = ((h17 ^ g2) << 15) | ((l17 ^ d2) >>> 17);
    const p3 = ((l18 ^ d3) << 21) | ((h18 ^ g3) >>> 11), q3 = ((h18 ^ g3) << 21) | ((l18 ^ d3) >>> 11);
    const p13 = ((l19 ^ d4) << 8) | ((h19 ^ g4) >>> 24), q13 = ((h19 ^ g4) << 8) | ((l19 ^ d4) >>> 24);
    const p14 = ((l20 ^ d0) << 18) | ((h20 ^ g0) >>> 14), q14 = ((h20 ^ g0) << 18) | ((l20 ^ d0) >>> 14);
    const p24 = ((l21 ^ d1) << 2) | ((h21 ^ g1) >>> 30), q24 = ((h21 ^ g1) << 2) | ((l21 ^ d1) >>> 30);
    const p9 = ((h22 ^ g2) << 29) | ((l22 ^ d2) >>> 3), q9 = ((l22 ^ d2) << 29) | ((h22 ^ g2) >>> 3);
    const p19 = ((h23 ^ g3) << 24) | ((l23 ^ d3) >>> 8), q19 = ((l23 ^ d3) << 24) | ((h23 ^ g3) >>> 8);
    const p4 = ((l24 ^ d4) << 14) | ((h24 ^ g4) >>> 18), q4 = ((h24 ^ g4) << 14) | ((l24 ^ d4) >>> 18);
    l0 = p0 ^ (~p1 & p2) ^ (ROUNDS[round] as number); h0 = q0 ^ (~q1 & q2) ^ (ROUNDS[round + 1] as number);
    l1 = p1 ^ (~p2 & p3); h1 = q1 ^ (~q2 & q3); l2 = p2 ^ (~p3 & p4); h2 = q2 ^ (~q3 & q4);
    l3 = p3 ^ (~p4 & p0); h3 = q3 ^ (~q4 & q0); l4 = p4 ^ (~p0 & p1); h4 = q4 ^ (~q0 & q1);
    l5 = p5 ^ (~p6 & p7); h5 = q5 ^ (~q6 & q7); l6 = p6 ^ (~p7 & p8); h6 = q6 ^ (~q7 & q8);
    l7 = p7 ^ (~p8 & p9); h7 = q7 ^ (~q8 & q9); l8 = p8 ^ (~p9 & p5); h8 = q8 ^ (~q9 & q5);
    l9 = p9 ^ (~p5 & p6); h9 = q9 ^ (~q5 & q6); l10 = p10 ^ (~p11 & p12); h10 = q10 ^ (~q11 & q12);
    l11 = p11 ^ (~p12 & p13); h11 = q11 ^ (~q12 & q13); l12 = p12 ^ (~p13 & p14); h12 = q12 ^ (~q13 & q14);
    l13 = p13 ^ (~p14 & p10); h13 = q13 ^ (~q14 & q10); l14 = p14 ^ (~p10 & p11); h14 = q14 ^ (~q10 & q11);
    l15 = p15 ^ (~p16 & p17); h15 = q15 ^ (~q16 & q17); l16 = p16 ^ (~p17 & p18); h16 = q16 ^ (~q17 & q18);
    l17 = p17 ^ (~p18 & p19); h17 = q17 ^ (~q18 & q19); l18 = p18 ^ (~p19 & p15); h18 = q18 ^ (~q19 & q15);
    l19 = p19 ^ (~p15 & p16); h19 = q19 ^ (~q15 & q16); l20 = p20 ^ (~p21 & p22); h20 = q20 ^ (~q21 & q22);
    l21 = p21 ^ (~p22 & p23); h21 = q21 ^ (~q22 & q23); l22 = p22 ^ (~p23 & p24); h22 = q22 ^ (~q23 & q24);
    l23 = p23 ^ (~p24 & p20); h23 = q23 ^ (~q24 & q20); l24 = p24 ^ (~p20 & p21); h24 = q24 ^ (~q20 & q21);
  }
  s[0] = l0; s[1] = h0; s[2] = l1; s[3] = h1; s[4] = l2; s[5] = h2; s[6] = l3; s[7] = h3; s[8] = l4; s[9] = h4;
  s[10] = l5; s[11] = h5; s[12] = l6; s[13] = h6; s[14] = l7; s[15] = h7; s[16] = l8; s[17] = h8; s[18] = l9; s[19] = h9;
  s[20] = l10; s[21] = h10; s[22] = l11; s[23] = h11; s[24] = l12; s[25] = h12; s[26] = l13; s[27] = h13; s[28] = l14; s[29] = h14;
  s[30] = l15; s[31] = h15; s[32] = l16; s[33] = h16; s[34] = l17; s[35] = h17; s[36] = l18; s[37] = h18; s[38] = l19; s[39] = h19;
  s[40] = l20; s[41] = h20; s[42] = l21; s[43] = h21; s[44] = l22; s[45] = h22; s[46] = l23; s[47] = h23; s[48] = l24; s[49] = h24;
}
