import type { Service } from '../service.ts';

/** A model as `GET /v1/models` lists it. */
export interface OfferedModel {
  readonly id: string;
  /** Absent where the server does not tell. */
  readonly services?: readonly Service[];
  /** Tokens. */
  readonly contextLength?: number;
  readonly loaded?: boolean;
  /** A name of the user's own. */
  readonly alias?: boolean;
  /** Those that have it. */
  readonly instances?: readonly string[];
}

/** What a tool is to be connected with. */
export interface Endpoint {
  /** Without a trailing slash or `/v1`. */
  readonly url: string;
  /** A key of `server.apiKeys`; absent: none is wanted. */
  readonly key: string | undefined;
  readonly model: OfferedModel;
  /** For side work such as titles; the same as `model` unless it was chosen. */
  readonly smallModel: OfferedModel;
  /** All that chat, `model` first. */
  readonly models: readonly OfferedModel[];
}

/** Where configs of tools are looked for. */
export interface Surroundings {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Whether there is such a file. */
  readonly exists: (file: string) => boolean;
}

export type ConfigFormat = 'json' | 'toml' | 'yaml';

/** What is to stand somewhere in a config; `undefined`: nothing. */
export interface Change {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** A config of a tool's own. */
export interface ToolConfig {
  readonly format: ConfigFormat;
  /** Absolute. */
  readonly file: (around: Surroundings) => string;
  /**
   * What to change in it.
   * @param present What it has in it now; an empty object when there is none.
   */
  readonly changes: (endpoint: Endpoint, present: Readonly<Record<string, unknown>>) => Change[];
  /** Why it must not be written, where that is so. */
  readonly refusal?: (around: Surroundings) => string | undefined;
}

/** A program that can use us. */
export interface Tool {
  /** As people call it. */
  readonly title: string;
  /** Variables of the environment by which it can be set for one shell. */
  readonly env?: (endpoint: Endpoint) => Readonly<Record<string, string>>;
  readonly config?: ToolConfig;
  /** What else to do or to know, line by line; code is in lines that begin with two spaces. */
  readonly notes?: (endpoint: Endpoint) => readonly string[];
  /** A command, or what to do in the tool, that shows whether it works. */
  readonly test: (endpoint: Endpoint) => string;
}

/** What is sent as a key where none is wanted: most programs insist on one. */
export const NO_KEY = 'unused';

/** The variable from which tools read our key that should not hold it themselves. */
export const KEY_VARIABLE = 'JAIROUTER_API_KEY';

/** @returns The address of the OpenAI API. */
export function openaiUrl({ url }: Endpoint): string {
  return `${url}/v1`;
}
