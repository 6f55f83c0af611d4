// Owns a WebSocket whose other end is the test: what is sent is kept, what is said arrives at once. It refuses nothing.

/** A socket that a test plays the other end of. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  readonly sent: string[] = [];
  readonly url: string;
  isClosed = false;
  onmessage: ((event: { data: string }) => void) | null = null;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
    this.onclose?.();
  }
  say(message: object): void {
    this.tell(JSON.stringify(message));
  }
  /** A message as it is, JSON or not. */
  tell(data: string): void {
    this.onmessage?.({ data });
  }
  frame(first: number, last: number, padding = ""): void {
    const entries = Array.from({ length: last - first + 1 }, (_, index) => ({
      number: first + index,
      atS: 1,
      events: [],
      padding,
    }));
    this.say({ type: "frame", first, last, entries });
  }
}
