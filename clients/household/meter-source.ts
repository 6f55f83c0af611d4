// Owns what an agent needs of a meter: net Wh of every slot that is over, and, where it is known, what was generated
// and used behind it. It refuses to guess; a slot the source does not know is null.

/** Energy of one slot. Generation and load stay in the home; only the net leaves it. */
export interface SlotReading {
  /** Export positive, import negative. */
  readonly netWh: number;
  readonly generationWh: number | null;
  readonly loadWh: number | null;
}

/** State of a meter's two registers, µWh. */
export interface Registers {
  readonly importMicroWh: number;
  readonly exportMicroWh: number;
}

/** A meter, live or recorded. */
export interface MeterSource {
  /** The reading of a slot that is over, or null when the meter has none. */
  read(slot: number): SlotReading | null;
  /** Of a live meter: the slots before this one are read, or never will be. A recorded one knows all from the start. */
  knownUntilSlot?(): number;
  /** Of a meter with registers: their state when the slot began, or null where nobody looked. */
  registersAt?(slot: number): Registers | null;
  /** Of a meter with a clock: seconds that it is ahead of the market's; null before it said so. */
  clockAheadS?(): number | null;
}

/** A recorded series that begins at a slot. */
export function seriesSource(
  startSlot: number,
  slots: number,
  netWhAt: (index: number) => number,
): MeterSource {
  return {
    read(slot) {
      const index = slot - startSlot;
      if (index < 0 || index >= slots) return null;
      return { netWh: netWhAt(index), generationWh: null, loadWh: null };
    },
  };
}

/** A generated household. */
export function generatedSource(household: {
  slotEnergy(slot: number): {
    readonly generationWh: number;
    readonly loadWh: number;
    readonly netWh: number;
  };
}): MeterSource {
  return { read: (slot) => household.slotEnergy(slot) };
}
