// What one may ask of a client when it is made, and the states in which it then is.

/** "connecting", then "open", then the first of: the peer closed, the peer reset or refused, we closed. */
export type ClientState = "connecting" | "open" | "ended" | "broken" | "closed";

export interface ClientOptions {
  /** Where the server is; 127.0.0.1 unless told. */
  host?: string;
  /** Takes what comes at once (the default); false: a reader who does not read. */
  reads?: boolean;
  /** SO_RCVBUF in bytes: how much the kernel takes for a client who does not read. */
  receiveBuffer?: number;
  /** Acknowledges what comes as late as it may, 40 ms: as every client does when it has been talking for a while. */
  acknowledgesLate?: boolean;
  /** Keeps what came (the default); false: it is counted, and told to who observes. */
  keeps?: boolean;
}
