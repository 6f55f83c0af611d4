// Owns how a P1 port is named: `tcp://host:port`, a serial device, or a serial device at the speed of old meters. It
// refuses anything else before a connection is tried.

/** Where telegrams come from. */
export type P1Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "serial"; readonly device: string; readonly line: SerialLine };

/** Speed and form of bytes on a serial line. */
export interface SerialLine {
  readonly baudRate: 115_200 | 9_600;
  readonly dataBits: 8 | 7;
  readonly parity: "none" | "even";
}

/** DSMR 4 and later: 115200 8N1. */
const TODAY: SerialLine = { baudRate: 115_200, dataBits: 8, parity: "none" };
/** DSMR 2.2 and 3: 9600 7E1. */
const OLD: SerialLine = { baudRate: 9_600, dataBits: 7, parity: "even" };

/** Reads `tcp://host:port`, `/dev/ttyUSB0` or, for meters before DSMR 4, `/dev/ttyUSB0,9600`. @throws Error otherwise */
export function parseP1Address(text: string): P1Address {
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})$/.exec(text);
  if (tcp !== null) {
    const [, host = "", digits = ""] = tcp;
    const port = Number(digits);
    if (port >= 1 && port <= 65_535) return { kind: "tcp", host: host.replace(/^\[|\]$/g, ""), port };
  }
  const serial = /^([^\s,:]+)(?:,(115200|9600))?$/.exec(text);
  if (serial !== null) {
    const [, device = "", speed] = serial;
    return { kind: "serial", device, line: speed === "9600" ? OLD : TODAY };
  }
  throw new Error(
    `not a P1 port: ${text}; write tcp://host:port, a serial device such as /dev/ttyUSB0, or /dev/ttyUSB0,9600 for a meter before DSMR 4`,
  );
}
