import { NO_KEY, openaiUrl, type Endpoint, type Tool } from './tool.ts';

/** Keeps its settings in a database of its own; the environment is only for its first start. */
export const openWebui: Tool = {
  title: 'Open WebUI',
  env: (endpoint) => ({
    OPENAI_API_BASE_URL: openaiUrl(endpoint),
    OPENAI_API_KEY: endpoint.key ?? NO_KEY,
  }),
  notes: (endpoint) => [
    'It takes these at its first start only. Later: Admin Panel, Settings, Connections, OpenAI API, with',
    `the same address and key. In Docker, this machine has another name:`,
    `  docker run -d -p 3000:8080 --add-host host.docker.internal:host-gateway \\`,
    `    -e OPENAI_API_BASE_URL=${fromContainer(endpoint)} -e OPENAI_API_KEY=${endpoint.key ?? NO_KEY} \\`,
    `    -v open-webui:/app/backend/data ghcr.io/open-webui/open-webui:main`,
    'A container is another machine to us: `server.host: 0.0.0.0` lets it in, and needs `server.apiKeys`.',
  ],
  test: ({ model }) => `choose ${model.id} in a new chat and say hello`,
};

function fromContainer(endpoint: Endpoint): string {
  return openaiUrl(endpoint).replace(
    /\/\/(127\.0\.0\.1|localhost|\[::1\])(?=[:/])/,
    '//host.docker.internal',
  );
}

export const openaiNode: Tool = {
  title: 'the OpenAI library for JavaScript',
  env: openaiEnv,
  notes: (endpoint) => [
    'With these variables set, the library needs no options. Without them:',
    `  import OpenAI from 'openai';`,
    ``,
    `  const openai = new OpenAI({`,
    `    baseURL: '${openaiUrl(endpoint)}',`,
    `    apiKey: '${endpoint.key ?? NO_KEY}',`,
    `  });`,
    `  const answer = await openai.chat.completions.create({`,
    `    model: '${endpoint.model.id}',`,
    `    messages: [{ role: 'user', content: 'Say hello.' }],`,
    `  });`,
    `  console.log(answer.choices[0].message.content);`,
  ],
  test: () => 'run that; the call shows in `jairouter tail`',
};

export const openaiPython: Tool = {
  title: 'the OpenAI library for Python',
  env: openaiEnv,
  notes: (endpoint) => [
    'With these variables set, the library needs no options. Without them:',
    `  from openai import OpenAI`,
    ``,
    `  client = OpenAI(`,
    `      base_url="${openaiUrl(endpoint)}",`,
    `      api_key="${endpoint.key ?? NO_KEY}",`,
    `  )`,
    `  answer = client.chat.completions.create(`,
    `      model="${endpoint.model.id}",`,
    `      messages=[{"role": "user", "content": "Say hello."}],`,
    `  )`,
    `  print(answer.choices[0].message.content)`,
  ],
  test: () => 'run that; the call shows in `jairouter tail`',
};

function openaiEnv(endpoint: Endpoint): Record<string, string> {
  return { OPENAI_BASE_URL: openaiUrl(endpoint), OPENAI_API_KEY: endpoint.key ?? NO_KEY };
}

export const curl: Tool = {
  title: 'curl',
  notes: (endpoint) => curlLines(endpoint),
  test: () => 'run that',
};

function curlLines(endpoint: Endpoint): string[] {
  const { key, model } = endpoint;
  const body = JSON.stringify({
    model: model.id,
    messages: [{ role: 'user', content: 'Say hello.' }],
  });
  return [
    `  curl ${openaiUrl(endpoint)}/chat/completions -H "content-type: application/json" \\`,
    ...(key === undefined ? [] : [`    -H "authorization: Bearer ${key}" \\`]),
    `    -d '${body.replaceAll("'", String.raw`'\''`)}'`,
  ];
}
