// Owns how long a provider's node may take for each step of a run, and its object for what it remembers. It refuses market time: a node's
// patience is the wall clock's.

/** How long a node may think about a run. It has the next one taken by somebody else. Wall milliseconds. */
export const ANSWER_WITHIN_MS = 1_500;

/**
 * What a node may take beyond the run's own wall seconds: fetching and rewriting a module, a reconnection. Less than a desk's
 * grace: the desk goes on when it hears that the run was taken back, so that it is not paid beside the next one.
 */
export const SLACK_MS = 12_000;

/**
 * How long a node may take to show what it has bound. Less than a desk waits for it: that replica is then out for everybody, and what the
 * others agree on is paid.
 */
export const SHOW_WITHIN_MS = 16_000;

/** A node has so long to connect to an object that was started anew: less than a desk waits for the answer. Wall milliseconds. */
export const RECONNECTION_MS = 4_000;

/** How long an ended run is remembered that nobody may ask about, so that late words about it are known for what they are. */
export const REMEMBERED_MS = 3_600_000;
