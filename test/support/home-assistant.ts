// Owns a server that speaks Home Assistant's documented WebSocket protocol over a real socket: login, commands with growing
// ids, energy settings, statistics in the unit asked for. It refuses what Home Assistant refuses, in its words.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

const WH_OF = { Wh: 1, kWh: 1_000, MWh: 1_000_000 } as const;
export type EnergyUnit = keyof typeof WH_OF;

/** A statistic as the recorder keeps it: sums in its own unit, by the start of five minutes in seconds. */
export interface RecordedStatistic {
  readonly unit: EnergyUnit | "m³";
  readonly sums: Map<number, number | null>;
  readonly hasSum?: boolean;
}

interface Command {
  readonly id: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What a test may do to an answer: send these texts or objects instead; undefined for the usual one. */
export type Tamper = (command: Command) => readonly (string | object)[] | undefined;

export const TOKEN = "made.up-token_of-a-test";

/** Home Assistant, as far as its energy statistics go. */
export class HomeAssistantServer {
  readonly statistics = new Map<string, RecordedStatistic>();
  /** Energy sources of the settings; null where none were ever made. */
  energySources: readonly object[] | null = null;
  version = "2026.4.1";
  /** Five minutes older than this are gone; hours stay. */
  purgedUntilS = 0;
  tamper: Tamper = () => undefined;
  /** What is sent in place of `auth_required`. */
  greeting: string | null = null;
  readonly asked: Command[] = [];
  logins = 0;
  readonly #server: WebSocketServer;
  readonly #subscribed = new Map<WebSocket, number>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket) => this.#greet(socket));
  }

  static async start(): Promise<HomeAssistantServer> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, path: "/api/websocket" });
    await once(server, "listening");
    return new HomeAssistantServer(server);
  }

  get address(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Tells those who listen that five minutes were compiled. */
  compiled(firedAtS: number): void {
    const fired = new Date(firedAtS * 1000).toISOString().replace("Z", "+00:00");
    for (const [socket, id] of this.#subscribed)
      say(socket, {
        id,
        type: "event",
        event: {
          event_type: "recorder_5min_statistics_generated",
          data: {},
          origin: "LOCAL",
          time_fired: fired,
          context: { id: "01", parent_id: null, user_id: null },
        },
      });
  }

  hangUp(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  async stop(): Promise<void> {
    this.hangUp();
    this.#server.close();
    await once(this.#server, "close");
  }

  #greet(socket: WebSocket): void {
    socket.on("error", () => {});
    socket.on("close", () => this.#subscribed.delete(socket));
    socket.send(this.greeting ?? JSON.stringify({ type: "auth_required", ha_version: this.version }));
    socket.once("message", (data) => {
      this.logins += 1;
      const { type, access_token } = JSON.parse(String(data)) as Record<string, unknown>;
      if (type !== "auth" || access_token !== TOKEN) {
        say(socket, { type: "auth_invalid", message: "Invalid access token or password" });
        return socket.close();
      }
      say(socket, { type: "auth_ok", ha_version: this.version });
      let lastId = 0;
      socket.on("message", (text) => {
        const command = JSON.parse(String(text)) as Command;
        this.asked.push(command);
        const instead = this.tamper(command);
        if (instead !== undefined) {
          for (const one of instead) say(socket, one);
        } else if (command.id <= lastId) {
          refuse(socket, command.id, "id_reuse", "Identifier values have to increase.");
        } else {
          lastId = command.id;
          this.#answer(socket, command);
        }
      });
    });
  }

  #answer(socket: WebSocket, command: Command): void {
    const { id, type } = command;
    if (type === "ping") say(socket, { id, type: "pong" });
    else if (type === "energy/get_prefs" && this.energySources === null)
      refuse(socket, id, "not_found", "No prefs");
    else if (type in this.#results)
      say(socket, { id, type: "result", success: true, result: this.#results[type]?.(command, socket) });
    else refuse(socket, id, "unknown_command", "Unknown command.");
  }

  readonly #results: Record<string, (command: Command, socket: WebSocket) => unknown> = {
    "energy/get_prefs": () => ({ energy_sources: this.energySources, device_consumption: [] }),
    "recorder/get_statistics_metadata": ({ statistic_ids }) => this.#metadata(statistic_ids as string[]),
    "recorder/statistics_during_period": (command) => this.#during(command),
    subscribe_events: ({ id }, socket) => {
      this.#subscribed.set(socket, id);
      return null;
    },
  };

  #metadata(ids: readonly string[]): object[] {
    return ids.flatMap((id) => {
      const statistic = this.statistics.get(id);
      if (statistic === undefined) return [];
      const { unit, hasSum = true } = statistic;
      return {
        statistic_id: id,
        display_unit_of_measurement: unit,
        has_mean: false,
        has_sum: hasSum,
        name: null,
        source: "recorder",
        statistics_unit_of_measurement: unit,
        unit_class: unit === "m³" ? "volume" : "energy",
      };
    });
  }

  #during(command: Command): Record<string, object[]> {
    const fromS = Date.parse(command.start_time as string) / 1000;
    const untilS = Date.parse(command.end_time as string) / 1000;
    const lengthS = command.period === "hour" ? 3_600 : 300;
    const wanted = (command.units as { energy?: EnergyUnit } | undefined)?.energy;
    const result: Record<string, object[]> = {};
    for (const id of command.statistic_ids as string[]) {
      const statistic = this.statistics.get(id);
      if (statistic === undefined) continue;
      const { unit, sums } = statistic;
      const factor = unit === "m³" || wanted === undefined ? 1 : WH_OF[unit] / WH_OF[wanted];
      const rows = [...sums]
        .map(([startS, sum]) => [startS + 300 - lengthS, sum] as const)
        .filter(([startS]) => startS % lengthS === 0 && startS >= fromS && startS < untilS)
        .filter(([startS]) => lengthS === 3_600 || startS >= this.purgedUntilS)
        .map(([startS, sum]) => ({
          start: startS * 1000,
          end: (startS + lengthS) * 1000,
          sum: sum === null ? null : sum * factor,
        }));
      if (rows.length > 0) result[id] = rows;
    }
    return result;
  }
}

function refuse(socket: WebSocket, id: number, code: string, message: string): void {
  say(socket, { id, type: "result", success: false, error: { code, message } });
}

function say(socket: WebSocket, what: string | object): void {
  socket.send(typeof what === "string" ? what : JSON.stringify(what));
}
