import { join } from 'node:path';
import {
  KEY_VARIABLE,
  NO_KEY,
  openaiUrl,
  type Endpoint,
  type OfferedModel,
  type Tool,
} from './tool.ts';

/** Speaks Anthropic's Messages, and appends `/v1/messages` to its base URL by itself. */
export const claudeCode: Tool = {
  title: 'Claude Code',
  env: claudeEnv,
  config: {
    format: 'json',
    file: ({ home, env }) =>
      join(env['CLAUDE_CONFIG_DIR'] || join(home, '.claude'), 'settings.json'),
    changes(endpoint) {
      const env = claudeEnv(endpoint);
      // One of another model is not to stay.
      return Object.entries({ ...env, [CLAUDE_FITS]: env[CLAUDE_FITS] }).map(([name, value]) => ({
        path: ['env', name],
        value,
      }));
    },
  },
  notes: () => [
    'What stands in its settings wins over the shell. An ANTHROPIC_API_KEY beside it would be sent too: unset it.',
  ],
  test: () => 'claude -p "Say hello."',
};

function claudeEnv({ url, key, model, smallModel }: Endpoint): Record<string, string> {
  const fits = model.contextLength ?? Infinity;
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: key ?? NO_KEY,
    ANTHROPIC_MODEL: model.id,
    ANTHROPIC_DEFAULT_OPUS_MODEL: model.id,
    ANTHROPIC_DEFAULT_SONNET_MODEL: model.id,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: smallModel.id,
    // A line before its instructions that is another in each conversation: what a model has read of
    // one, it could not use in the next.
    CLAUDE_CODE_ATTRIBUTION_HEADER: '0',
    ...(fits < CLAUDE_WINDOW && { [CLAUDE_FITS]: String(fits) }),
  };
}

/** Tokens that it believes to fit into any model it does not know, and where it is told better. */
const CLAUDE_WINDOW = 200_000;
const CLAUDE_FITS = 'CLAUDE_CODE_AUTO_COMPACT_WINDOW';

/** Speaks Responses alone. */
export const codex: Tool = {
  title: 'Codex',
  config: {
    format: 'toml',
    file: ({ home, env }) => join(env['CODEX_HOME'] || join(home, '.codex'), 'config.toml'),
    changes: (endpoint) => [
      { path: ['model'], value: endpoint.model.id },
      { path: ['model_provider'], value: 'jairouter' },
      // It knows OpenAI's models only, and has to be told how much fits into others.
      { path: ['model_context_window'], value: endpoint.model.contextLength },
      {
        path: ['model_providers', 'jairouter'],
        value: {
          name: 'jairouter',
          base_url: openaiUrl(endpoint),
          wire_api: 'responses',
          ...(endpoint.key !== undefined && { env_key: KEY_VARIABLE }),
        },
      },
    ],
  },
  notes: keyInEnvironment,
  test: () => 'codex exec --skip-git-repo-check "Say hello."',
};

function keyInEnvironment({ key }: Endpoint): string[] {
  return key === undefined
    ? []
    : [
        `It reads the key from the environment: put ${KEY_VARIABLE} there, in your shell's profile.`,
      ];
}

export const opencode: Tool = {
  title: 'OpenCode',
  config: {
    format: 'json',
    file({ home, env, exists }) {
      const folder = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'opencode');
      const names = ['opencode.jsonc', 'opencode.json', 'config.json'];
      const present = names.map((name) => join(folder, name)).find((file) => exists(file));
      return present ?? join(folder, 'opencode.json');
    },
    changes: (endpoint, present) => [
      ...(Object.keys(present).length === 0
        ? [{ path: ['$schema'], value: 'https://opencode.ai/config.json' }]
        : []),
      {
        path: ['provider', 'jairouter'],
        value: {
          npm: '@ai-sdk/openai-compatible',
          name: 'jairouter',
          options: { baseURL: openaiUrl(endpoint), apiKey: endpoint.key ?? NO_KEY },
          models: Object.fromEntries(endpoint.models.map((model) => [model.id, limitsOf(model)])),
        },
      },
      { path: ['model'], value: `jairouter/${endpoint.model.id}` },
      { path: ['small_model'], value: `jairouter/${endpoint.smallModel.id}` },
    ],
  },
  test: ({ model }) => `opencode run -m jairouter/${model.id} "Say hello."`,
};

/** It wants to know both; an answer gets a quarter of what fits, as long as that is no novel. */
function limitsOf({ contextLength }: OfferedModel): object {
  if (contextLength === undefined) return {};
  return {
    limit: { context: contextLength, output: Math.min(32_000, Math.floor(contextLength / 4)) },
  };
}

/** Goes through LiteLLM, for which `openai/` means a server that speaks OpenAI's API. */
export const aider: Tool = {
  title: 'aider',
  env: (endpoint) => ({
    OPENAI_API_BASE: openaiUrl(endpoint),
    OPENAI_API_KEY: endpoint.key ?? NO_KEY,
    AIDER_MODEL: `openai/${endpoint.model.id}`,
  }),
  config: {
    format: 'yaml',
    file: ({ home }) => join(home, '.aider.conf.yml'),
    changes: (endpoint) => [
      { path: ['openai-api-base'], value: openaiUrl(endpoint) },
      { path: ['openai-api-key'], value: endpoint.key ?? NO_KEY },
      { path: ['model'], value: `openai/${endpoint.model.id}` },
      { path: ['weak-model'], value: `openai/${endpoint.smallModel.id}` },
    ],
  },
  notes: () => ['A .aider.conf.yml in the repository or the working directory wins over this one.'],
  test: ({ model }) => `aider --model openai/${model.id} --message "Say hello."`,
};
