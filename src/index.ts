import type { ConfigInput } from './config/schema.ts';

export type { Config, ConfigInput } from './config/schema.ts';
export type { Operation, Service } from './service.ts';
export type * from './adapters/adapter.ts';
export { defineAdapter, RequestRefused } from './adapters/adapter.ts';

/**
 * Types a config in TypeScript or JavaScript and gives it back as it is.
 *
 * @example
 * export default defineConfig({
 *   instances: { laptop: { adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434' } },
 * });
 */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
