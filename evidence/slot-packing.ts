// Owns how a window's slots stand in field elements, for readings that are signed and claims that are proved. It refuses
// to judge a slot: its number is the caller's, already checked.

/** A reading and a claim are 20 bits of Wh. */
export const WH_BITS = 20;
/** The direction stands two bits higher, because claim + unsold can reach 2²¹ − 2. */
export const DIRECTION_BIT = 21;
/** Distance of two slots. */
export const STRIDE_BITS = 22;
/** Eleven times 22 bits stay below the field's 253. */
export const SLOTS_PER_ELEMENT = 11;

const EXPORT = 2 ** DIRECTION_BIT;
const STRIDE = BigInt(STRIDE_BITS);

/** One slot's field: direction·2²¹ + Wh, direction 1 = export. */
export function slotField(isExport: boolean, wh: number): number {
  return isExport ? EXPORT + wh : wh;
}

/** Field elements of so many slots, 22 bits apart, eleven an element, earliest lowest: one for 4 slots, nine for 96. */
export function packSlots(slots: number, fieldOf: (slot: number) => number): bigint[] {
  const packed: bigint[] = [];
  for (let start = 0; start < slots; start += SLOTS_PER_ELEMENT) {
    let element = 0n;
    for (let slot = Math.min(start + SLOTS_PER_ELEMENT, slots) - 1; slot >= start; slot -= 1) {
      element = (element << STRIDE) | BigInt(fieldOf(slot));
    }
    packed.push(element);
  }
  return packed;
}
