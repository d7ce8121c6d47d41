/** What differs between the generations of Anthropic's models, as far as a request goes. */
export interface Generation {
  /** Tokens that an answer may have where the client sets no limit. */
  readonly limit: number;
  /** How much it thinks is told as a word, not as a number of tokens. */
  readonly adaptive: boolean;
  /** Takes `temperature`, `top_p` and `top_k`. */
  readonly sampling: boolean;
}

/** By the version in the name; the first row that is not below it counts. */
const GENERATIONS: readonly (readonly [upTo: number, Generation])[] = [
  [3, { limit: 4096, adaptive: false, sampling: true }],
  [3.5, { limit: 8192, adaptive: false, sampling: true }],
  [4.5, { limit: 32_000, adaptive: false, sampling: true }],
  [4.6, { limit: 32_000, adaptive: true, sampling: true }],
  [Infinity, { limit: 32_000, adaptive: true, sampling: false }],
];

/** A name without a version is taken for a new one. */
export function generationOf(model: string): Generation {
  const [, major, minor] = /claude-(?:[a-z]+-)?(\d)(?:[-.](\d))?(?!\d)/.exec(model) ?? [];
  const version = major === undefined ? Infinity : Number(`${major}.${minor ?? 0}`);
  return GENERATIONS.find(([upTo]) => version <= upTo)![1];
}
