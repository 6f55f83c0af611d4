// Owns the deployment that the tests inside workerd run on: its operator, its receipt seed, its clock. It refuses to be
// of use anywhere else: both secrets are public.

/** Seed of the deployment's operator, a wallet. */
export const OPERATOR_SECRET = `0x${"a1".repeat(32)}` as const;
/** Its address; a test compares. */
export const OPERATOR_ADDRESS = "0x5d5c99edf529335160ff180fa141dd4967fc00d2" as const;

/** Variables and secrets over those of wrangler.toml: a clock at wall speed, so that market time is `Date.now()`. */
export const DEPLOYMENT = {
  CHAIN_ID: "31337",
  CLOCK_RATE: "1",
  OPERATOR: OPERATOR_ADDRESS,
  RECEIPT_SEED: "5e".repeat(32),
  // The deployment sells compute itself wherever its operator lets it.
  EDGE_PRICE_MICROS_PER_TERA: "500000",
  EDGE_FUEL_MEGA: "50000",
} as const;
