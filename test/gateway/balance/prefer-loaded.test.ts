import { describe, expect, it } from 'vitest';
import { preferLoaded } from '../../../src/gateway/balance/prefer-loaded.ts';

const isLoaded = ({ loaded }: { loaded: boolean }) => loaded;
const warm = { loaded: true };
const cold = { loaded: false };

describe('preferLoaded', () => {
  it('leaves only those that have the model in memory', () => {
    expect(preferLoaded([cold, warm, cold, warm], isLoaded)).toEqual([warm, warm]);
  });

  it('leaves all when none has it', () => {
    expect(preferLoaded([cold, cold], isLoaded)).toEqual([cold, cold]);
  });
});
