/** The lint rules: typescript-eslint's strictest type-checked set, and the house rules that a linter can hold. */
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const APART_FROM_CLI = 'Only cli/ (and bench/, tests/) reads the environment: pass the value in.';

export default defineConfig(
  { ignores: ['dist/', '.cache/', 'coverage/', 'demo-lake/'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js', '*.cjs', '.ci/*.js'] } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['core/**', 'engine/**', 'tables/**', 'ingest/**', 'transforms/**', 'query/**', 'features/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: APART_FROM_CLI },
        { object: 'Date', property: 'now', message: 'Take a Clock (core/clock.ts).' },
        { object: 'Math', property: 'random', message: 'Take a Random (core/random.ts).' },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: 'Take a Clock (core/clock.ts).' },
        { name: 'setInterval', message: 'Take a Clock (core/clock.ts).' },
      ],
      'no-console': 'error',
    },
  },
  { files: ['core/clock.ts'], rules: { 'no-restricted-properties': 'off', 'no-restricted-globals': 'off' } },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs', globals: { module: 'writable' } } },
  { files: ['**/*.js', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
);
