/** Owns sharing Wh among the steps at the clearing price; refuses to favour anything but remainder, then lowest id. */

/** 2¹¹ buckets: three levels resolve any remainder, which is below a side's 5·10⁹ < 2³³. */
const BUCKETS = 2 ** 11;

/** Counts the values within [from, from + width · BUCKETS) and below `end` by bucket; `width` is a power of two. */
function countInto(
  buckets: Uint32Array,
  values: Float64Array,
  from: number,
  end: number,
  width: number,
): void {
  const scale = 1 / width; // exact, as width is a power of two
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value >= from && value < end) {
      const bucket = ((value - from) * scale) | 0;
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
  }
}

/** The rank-th greatest value, and how many of the values equal to it are among the `rank` greatest. */
interface Threshold {
  value: number;
  ties: number;
}

/** Finds the rank-th greatest (rank ≥ 1) of integers in [0, end) by counting: O(values), whatever they are. */
function selectGreatest(values: Float64Array, rank: number, end: number): Threshold {
  const buckets = new Uint32Array(BUCKETS);
  let width = 1;
  while (width * BUCKETS < end) width *= 2;
  let from = 0;
  let left = rank;
  let to = end;
  for (;;) {
    countInto(buckets, values, from, to, width);
    let bucket = BUCKETS - 1;
    for (; (buckets[bucket] as number) < left; bucket--) left -= buckets[bucket] as number;
    from += bucket * width;
    if (width === 1) return { value: from, ties: left };
    to = from + width;
    width = Math.max(1, width / BUCKETS);
    buckets.fill(0);
  }
}

/** Gives each member ⌊w·room/total⌋, keeps the remainders of those divisions, and returns the Wh given. */
function giveFloors(
  filledWh: Int32Array,
  members: Int32Array,
  remainders: Float64Array,
  roomWh: number,
  totalWh: number,
): number {
  let givenWh = 0;
  for (let m = 0; m < members.length; m++) {
    const index = members[m] as number;
    const product = (filledWh[index] as number) * roomWh;
    const floorWh = Math.floor(product / totalWh);
    filledWh[index] = floorWh;
    remainders[m] = product - floorWh * totalWh;
    givenWh += floorWh;
  }
  return givenWh;
}

/** Gives 1 Wh to each member above the threshold, and to the first `ties` of those at it. */
function giveExtras(
  filledWh: Int32Array,
  members: Int32Array,
  remainders: Float64Array,
  threshold: Threshold,
): void {
  let ties = threshold.ties;
  for (let m = 0; m < members.length; m++) {
    const remainder = remainders[m] as number;
    if (remainder < threshold.value || (remainder === threshold.value && ties-- <= 0)) continue;
    const index = members[m] as number;
    filledWh[index] = (filledWh[index] as number) + 1;
  }
}

/**
 * Cuts the wholly filled `members` (indexes into `filledWh` in id order, together `totalWh` > `roomWh` ≥ 0) to
 * their share of `roomWh`: ⌊wᵢ·room/total⌋ each, then 1 Wh each by greatest remainder, then lowest id.
 *
 * Every product stays below 10⁶ · 5·10⁹ < 2⁵³, so floors and remainders are exact. Nobody gets more than it has:
 * the remainders add up to (Wh left) · total while each is below total, so only remainders above zero are reached,
 * and there the floor is below wᵢ.
 */
export function shareProRata(
  filledWh: Int32Array,
  members: Int32Array,
  roomWh: number,
  totalWh: number,
): void {
  const remainders = new Float64Array(members.length);
  const leftWh = roomWh - giveFloors(filledWh, members, remainders, roomWh, totalWh);
  if (leftWh > 0) giveExtras(filledWh, members, remainders, selectGreatest(remainders, leftWh, totalWh));
}
