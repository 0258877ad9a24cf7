// Entries of packages for users of an optional peer. The types of all others are read where it is not installed.

/**
 * Matches the names of entries, such as `qkv/viz/react`, by peer.
 *
 * @type {Record<string, RegExp>}
 */
export const entriesForPeers = { react: /\/(react|jsx)$/ };
