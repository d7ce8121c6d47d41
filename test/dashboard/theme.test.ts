import { describe, expect, it } from 'vitest';
import { backgroundOf, themeFor, type Tone } from '../../src/dashboard/theme.ts';

const TONES: readonly Tone[] = [
  ...(['strong', 'faint', 'good', 'warn'] as const),
  ...(['bad', 'accent', 'chart', 'selected'] as const),
];

/** `<1>` for the escape code of bold. */
function shown(text: string): string {
  // oxlint-disable-next-line no-control-regex -- escape codes are what is looked for
  return text.replaceAll(/\u{1b}\[(\d+)m/gu, '<$1>');
}

describe('the theme', () => {
  it('uses no colour where there shall be none, but still bold, dim and inverse', () => {
    const theme = themeFor({ colour: false });
    for (const tone of TONES) {
      expect(shown(theme.paint('x', tone))).toMatch(/^(x|<[127]>x<2[27]>)$/);
    }
    expect(shown(theme.paint('x', 'selected'))).toBe('<7>x<27>');
  });

  it('keeps to the sixteen colours, which the terminal fits to its ground', () => {
    for (const background of ['light', 'dark', undefined] as const) {
      const theme = themeFor({ colour: true, background });
      for (const tone of TONES) {
        expect(shown(theme.paint('x', tone))).toMatch(/^<([127]|3[1-6])>x<(2[27]|39)>$/);
      }
    }
  });

  it('uses nothing pale on a light ground', () => {
    const theme = themeFor({ colour: true, background: 'light' });
    for (const tone of TONES) expect(shown(theme.paint('x', tone))).not.toMatch(/<3[36]>/);
  });

  it('knows the ground by what terminals say of it', () => {
    expect(backgroundOf('15;0')).toBe('dark');
    expect(backgroundOf('0;default;15')).toBe('light');
    expect(backgroundOf('12;8')).toBe('dark');
    expect(backgroundOf('0;7')).toBe('light');
    expect(backgroundOf(undefined)).toBeUndefined();
    expect(backgroundOf('default;default')).toBeUndefined();
  });
});
