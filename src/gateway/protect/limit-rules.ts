import type { Config } from '../../config/schema.ts';
import { SERVICES } from '../../service.ts';
import type { LimitRule, LimitScope } from './limit.ts';
import type { RateLimit } from './limiters/limiter.ts';

/**
 * Every `rateLimit` block of a config. That of `defaults` holds for each service that has none of
 * its own, each with its own count.
 */
export function limitRules(config: Config): LimitRule[] {
  const rules: LimitRule[] = [];
  const add = (scope: LimitScope, name: string, settings: RateLimit | undefined) => {
    if (settings) rules.push({ scope, name, settings });
  };
  add('all', '', config.rateLimit);
  for (const service of SERVICES) {
    add('service', service, config.services[service]?.rateLimit ?? config.defaults.rateLimit);
  }
  for (const [name, { rateLimit }] of Object.entries(config.models)) add('model', name, rateLimit);
  for (const [name, { rateLimit }] of Object.entries(config.instances)) {
    add('instance', name, rateLimit);
  }
  for (const { name, rateLimit } of config.server.apiKeys) add('key', name, rateLimit);
  return rules;
}
