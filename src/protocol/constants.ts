/** The WebSocket subprotocol, and the version that `hello` names. */
export const PROTOCOL = "parley.v1";

/** Deepest nesting of arrays and objects in an incoming frame [W11]. */
export const MAX_DEPTH = 32;
/** Bytes of one incoming frame after authentication [W11]. */
export const MAX_FRAME_IN = 256 * 1024;
/** Bytes of one incoming frame before authentication [W11]. */
export const MAX_FRAME_IN_ANONYMOUS = 64 * 1024;
/** Bytes of one outgoing frame [W11]. */
export const MAX_FRAME_OUT = 128 * 1024;
/** Bytes of one encoded event [W11]. */
export const MAX_EVENT = 64 * 1024;

/** The server says something at least this often [W9]. */
export const HEARTBEAT_MS = 25_000;
/** A peer that was silent this long is dead [W9]. */
export const SILENCE_MS = 33_000;
/** A connection that has not authenticated by then is closed 4010 [W2]. */
export const AUTH_DEADLINE_MS = 5_000;

/** UTF-16 units of a folder's name. */
export const MAX_FOLDER_NAME = 60;
/** Of one person. All of them, and the pinned conversations, are in the snapshot of the user's topic. */
export const MAX_FOLDERS = 50;
export const MAX_PINNED = 30;
