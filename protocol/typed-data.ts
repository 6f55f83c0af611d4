// Owns the EIP-712 form of every command and its digest, which is the command's id. It refuses nothing: what it is
// given has passed a decoder. Encoding is ours because hashing is on the path of every request and type hashes and
// the domain separator can be kept; a test holds it equal to viem's hashTypedData.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Command, CommandType } from "./commands.ts";
import type { Hex } from "./fields.ts";

interface Field {
  readonly name: string;
  readonly type: string;
}

/** What binds a signature to one deployment (EIP-712 domain). */
export interface SigningDomain {
  readonly chainId: number;
  /** The settlement contract; the zero address until there is one. */
  readonly settlement: Hex;
}

const fields = (definition: string): readonly Field[] =>
  definition.split(", ").map((field) => {
    const [type, name] = field.split(" ") as [string, string];
    return { name, type };
  });

const ENVELOPE = "string region, uint64 nonce, uint64 expiresAtS";
const ACCOUNT = `address account, ${ENVELOPE}`;

/** EIP-712 types by name, in signing order. */
export const TYPES: Readonly<Record<string, readonly Field[]>> = {
  Parameters: fields(
    "uint32 networkFeeMicrosPerKwh, uint16 takeRateBps, uint16 clearingPriceK, uint32 proofDelaySeconds, " +
      "uint256 emissionPerEpoch, uint16 emissionDecayBps, uint32 rewardWeightEnergy, uint32 rewardWeightCompute, " +
      "uint32 rewardWeightBandwidth, uint16 shareCapBps, uint16 outflowCapBps, uint256 rewardPerFee, " +
      "uint64 providerMinimumStake, uint16 auditRateBps",
  ),
  Figures: fields(
    "uint32 networkFeeMicrosPerKwh, uint16 takeRateBps, uint16 clearingPriceK, uint32 proofDelaySeconds, " +
      "uint32 rewardWeightEnergy, uint32 rewardWeightCompute, uint32 rewardWeightBandwidth, uint16 shareCapBps, " +
      "uint256 rewardPerFee, uint64 providerMinimumStake, uint16 auditRateBps",
  ),
  Step: fields("int64 limitPriceMicrosPerKwh, uint32 capWhPerSlot"),
  OpenRegion: fields(
    `${ENVELOPE}, string timeZone, uint16 windowSlots, uint32 epochSlots, string quote, address operator, ` +
      "address gridOperator, address treasury, address mirror, bytes32 receiptKey, Parameters parameters",
  ),
  SetParameters: fields(`${ENVELOPE}, Parameters parameters`),
  CreditTestQuote: fields(`${ACCOUNT}, uint64 amountMicros`),
  CreditDeposit: fields(`${ACCOUNT}, uint64 amountMicros, bytes32 previousHash`),
  ScheduleTerms: fields(
    `${ENVELOPE}, uint64 fromEpoch, uint16 outflowCapBps, uint256 emissionPerEpoch, uint16 emissionDecayBps`,
  ),
  ScheduleParameters: fields(`${ENVELOPE}, uint64 fromEpoch, Figures figures`),
  Withdraw: fields(`${ACCOUNT}, uint64 amountMicros`),
  AuthoriseSession: fields(
    `${ACCOUNT}, bytes32 key, string[] resources, string[] sides, int64 leastAskMicrosPerKwh, ` +
      "int64 highestBidMicrosPerKwh, uint64 dailyWh, uint64 leastAskMicrosPerTera, uint64 highestBidMicrosPerTera, " +
      "uint64 dailyMega, uint64 spendingLimitMicros, uint64 sessionExpiresAtS",
  ),
  RecordStake: fields(`${ACCOUNT}, bytes32 nodeKey, uint64 stakedMicros, bool isUnbonding`),
  RevokeSession: fields(`${ACCOUNT}, bytes32 key`),
  EnrolMeter: fields(
    `${ENVELOPE}, uint256 gatewayX, uint256 gatewayY, uint256 commitment, bytes32 connection, uint32 nameplateWh, ` +
      "uint32 connectionWh, uint64 saleCapWh, uint64 purchaseCapWh, uint16 windowSlots, bytes32 replaces",
  ),
  RevokeMeter: fields(`${ENVELOPE}, bytes32 gateway, bool isEmergency`),
  AppointInstallers: fields(`${ENVELOPE}, address[] installers`),
  AdmitAccount: fields(ACCOUNT),
  PlaceOrder: fields(
    `${ACCOUNT}, string side, Step[] steps, uint64 validFromS, uint64 validUntilS, uint8[] hours, uint64 replaces`,
  ),
  CancelOrder: fields(`${ACCOUNT}, uint64 orderId`),
  SubmitReadings: fields(`${ACCOUNT}, uint64 firstSlot, int32[] netWh`),
  CommitCertificate: fields(`${ACCOUNT}, uint256 commitment`),
  PlaceResourceOrder: fields(
    `${ACCOUNT}, string product, string side, uint64 quantityMega, uint64 priceMicrosPerTera, string timeInForce, ` +
      "uint64 goodTillS",
  ),
  CancelResourceOrder: fields(`${ACCOUNT}, uint64 orderId`),
  SettleObligation: fields(
    `${ACCOUNT}, uint64 obligationId, uint64 deliveredMega, bytes32 jobDigest, bytes32 outputHash, bool isFinal`,
  ),
  BuyJob: fields(`${ACCOUNT}, bytes32 jobDigest, uint64 fuelMega, uint64 priceMicrosPerTera, uint8 replicas`),
  ReportResult: fields(
    `${ACCOUNT}, uint64 obligationId, uint64 fuelMega, bytes32 jobDigest, bytes32 outputHash`,
  ),
  CommitAudits: fields(`${ENVELOPE}, uint64 epoch, bytes32 commitment`),
  RevealAudits: fields(`${ENVELOPE}, uint64 epoch, bytes32 secret`),
  RecordAudit: fields(
    `${ENVELOPE}, uint64 obligationId, uint64 fuelMega, bytes32 outputHash, uint64 blockNumber, bytes32 blockHash`,
  ),
  ReleaseRun: fields(`${ENVELOPE}, uint64 obligationId, bytes32 jobDigest, bool hasFailed`),
  // What a region's edge signs of a result whose outputs it holds; it travels as evidence and is no command.
  DeliveryAttestation: fields(
    "string region, uint64 obligationId, uint64 fuelMega, bytes32 jobDigest, bytes32 outputHash",
  ),
  // What a buyer signs of a delivery; it travels as evidence and is no command.
  DeliveryVoucher: fields(
    "string region, uint64 obligationId, uint64 deliveredMega, bytes32 jobDigest, bytes32 outputHash",
  ),
  // What a node says first on its socket; it opens the socket and nothing else.
  ProviderHello: fields("string region, address account, bytes32 challenge"),
  // What a buyer says first on the socket of a lease; it opens the socket and nothing else.
  LeaseHello: fields("string region, uint64 obligationId, bytes32 challenge"),
};

/** The EIP-712 primary type of each command. */
export const PRIMARY_TYPES: Readonly<Record<CommandType, string>> = {
  open_region: "OpenRegion",
  set_parameters: "SetParameters",
  credit_test_quote: "CreditTestQuote",
  credit_deposit: "CreditDeposit",
  schedule_terms: "ScheduleTerms",
  schedule_parameters: "ScheduleParameters",
  record_stake: "RecordStake",
  withdraw: "Withdraw",
  authorise_session: "AuthoriseSession",
  revoke_session: "RevokeSession",
  appoint_installers: "AppointInstallers",
  admit_account: "AdmitAccount",
  enrol_meter: "EnrolMeter",
  revoke_meter: "RevokeMeter",
  place_order: "PlaceOrder",
  cancel_order: "CancelOrder",
  submit_readings: "SubmitReadings",
  commit_certificate: "CommitCertificate",
  place_resource_order: "PlaceResourceOrder",
  cancel_resource_order: "CancelResourceOrder",
  settle_obligation: "SettleObligation",
  buy_job: "BuyJob",
  report_result: "ReportResult",
  commit_audits: "CommitAudits",
  reveal_audits: "RevealAudits",
  record_audit: "RecordAudit",
  release_run: "ReleaseRun",
};

/**
 * The whole typed data of a command, as a wallet's `eth_signTypedData_v4` and viem's `signTypedData` take it
 * (EIP-712). The command's `type` is the primary type and not part of the message.
 */
export function typedDataOf(domain: SigningDomain, command: Command) {
  const { type, ...message } = command;
  return typedStatement(domain, PRIMARY_TYPES[type], message);
}

/** The whole typed data of anything in `TYPES`. */
export function typedStatement(domain: SigningDomain, primaryType: string, message: object) {
  return {
    domain: { name: "Polder", version: "1", chainId: domain.chainId, verifyingContract: domain.settlement },
    types: TYPES as Record<string, Field[]>,
    primaryType,
    message: message as Record<string, unknown>,
  };
}

/** The command's id: keccak256(0x1901 ‖ domain separator ‖ struct hash) as 32 bytes (EIP-712). */
export function commandDigest(domain: SigningDomain, command: Command): Uint8Array {
  return statementDigest(domain, PRIMARY_TYPES[command.type], command);
}

/** The digest of anything in `TYPES`, as a command's is made. */
export function statementDigest(domain: SigningDomain, type: string, statement: object): Uint8Array {
  const message = new Uint8Array(66);
  message[0] = 0x19;
  message[1] = 0x01;
  message.set(domainSeparator(domain), 2);
  message.set(hashStruct(type, statement), 34);
  return keccak_256(message);
}

/** The command's id as lower-case hex. */
export function commandId(domain: SigningDomain, command: Command): Hex {
  return `0x${bytesToHex(commandDigest(domain, command))}`;
}

const EMPTY_HASH = keccak_256(new Uint8Array());
const typeHashes = new Map<string, Uint8Array>();
const stringHashes = new Map<string, Uint8Array>();
const separators = new Map<string, Uint8Array>();
/** Strings of commands are few (regions, sides, resources); the bound only keeps a flood of names from growing it. */
const STRING_CACHE_SIZE = 4096;

function domainSeparator(domain: SigningDomain): Uint8Array {
  const key = `${domain.chainId}${domain.settlement}`;
  let separator = separators.get(key);
  if (separator === undefined) {
    const head = keccak_256(
      utf8ToBytes("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
    );
    const words = new Uint8Array(160);
    words.set(head, 0);
    words.set(keccak_256(utf8ToBytes("Polder")), 32);
    words.set(keccak_256(utf8ToBytes("1")), 64);
    writeInteger(words, 96, domain.chainId);
    writeHex(words, 128, domain.settlement);
    separator = keccak_256(words);
    separators.set(key, separator);
  }
  return separator;
}

function hashStruct(name: string, value: object): Uint8Array {
  const members = TYPES[name] as readonly Field[];
  const words = new Uint8Array(32 * (members.length + 1));
  words.set(typeHash(name), 0);
  members.forEach((member, index) => {
    writeValue(words, 32 * (index + 1), member.type, (value as Record<string, unknown>)[member.name]);
  });
  return keccak_256(words);
}

function writeValue(words: Uint8Array, offset: number, type: string, value: unknown): void {
  if (type.endsWith("[]")) {
    const items = value as readonly unknown[];
    if (items.length === 0) {
      words.set(EMPTY_HASH, offset);
      return;
    }
    const body = new Uint8Array(32 * items.length);
    const itemType = type.slice(0, -2);
    items.forEach((item, index) => {
      writeValue(body, 32 * index, itemType, item);
    });
    words.set(keccak_256(body), offset);
  } else if (type in TYPES) words.set(hashStruct(type, value as object), offset);
  else if (type === "string") words.set(stringHash(value as string), offset);
  else if (type === "address" || type === "bytes32") writeHex(words, offset, value as string);
  else if (type === "uint256") writeBig(words, offset, BigInt(value as string));
  else if (type === "bool") writeInteger(words, offset, value === true ? 1 : 0);
  else writeInteger(words, offset, value as number);
}

/** Right-aligned hex digits in the 32-byte word at `offset`. */
function writeHex(words: Uint8Array, offset: number, hex: string): void {
  const bytes = (hex.length - 2) / 2;
  for (let index = 0; index < bytes; index += 1) {
    words[offset + 32 - bytes + index] = Number.parseInt(hex.slice(2 + 2 * index, 4 + 2 * index), 16);
  }
}

/** Two's complement of a safe integer in the 32-byte word at `offset`. */
function writeInteger(words: Uint8Array, offset: number, value: number): void {
  const view = new DataView(words.buffer, words.byteOffset + offset, 32);
  if (value < 0) words.fill(0xff, offset, offset + 24);
  const high = Math.floor(value / 2 ** 32);
  view.setInt32(24, high);
  view.setUint32(28, value - high * 2 ** 32);
}

function writeBig(words: Uint8Array, offset: number, value: bigint): void {
  writeHex(words, offset, `0x${value.toString(16).padStart(64, "0")}`);
}

function stringHash(text: string): Uint8Array {
  let hash = stringHashes.get(text);
  if (hash === undefined) {
    hash = keccak_256(utf8ToBytes(text));
    if (stringHashes.size >= STRING_CACHE_SIZE) stringHashes.clear();
    stringHashes.set(text, hash);
  }
  return hash;
}

function typeHash(name: string): Uint8Array {
  let hash = typeHashes.get(name);
  if (hash === undefined) {
    const members = TYPES[name] as readonly Field[];
    const nested = members.map((member) => member.type.replace("[]", "")).filter((type) => type in TYPES);
    const encoded = [name, ...[...new Set(nested)].sort()].map(encodeType).join("");
    hash = keccak_256(utf8ToBytes(encoded));
    typeHashes.set(name, hash);
  }
  return hash;
}

function encodeType(name: string): string {
  const members = TYPES[name] as readonly Field[];
  return `${name}(${members.map((member) => `${member.type} ${member.name}`).join(",")})`;
}
