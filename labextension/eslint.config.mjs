import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const group = (patterns, message) => ({ group: patterns, message });
const HOST_LIBRARIES = group(
  ['@jupyterlab/*', '@lumino/*', '@jupyter/*', '@anywidget/*'],
  'The core runs in the sidebar and in notebook widgets: reach the host through Host or a transport.'
);

export default defineConfig(
  globalIgnores(['lib/', 'src/core/api.ts']),
  {
    files: ['**/*.{ts,tsx}'],
    extends: [
      js.configs.recommended,
      tseslint.configs.strictTypeChecked,
      reactHooks.configs.flat.recommended,
      jsxA11y.flatConfigs.strict
    ],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-function-return-type': [
        'error',
        { allowExpressions: true, allowTypedFunctionExpressions: true }
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 350 }],
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Text goes in as text.' },
        { property: 'outerHTML', message: 'Text goes in as text.' }
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: 'Text goes in as text.'
        }
      ]
    }
  },
  {
    files: ['src/core/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            HOST_LIBRARIES,
            group(['**/lab/**', '**/widget/**'], 'The core knows none of its hosts.')
          ]
        }
      ]
    }
  },
  {
    files: ['src/lab/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            group(['@anywidget/*', '**/widget/**'], 'The sidebar and the widgets never meet.'),
            group(['**/core/**', '!**/core'], 'The core is used through its index.')
          ]
        }
      ]
    }
  },
  {
    files: ['src/widget/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            group(
              ['@jupyterlab/*', '@lumino/*', '@jupyter/*', '**/lab/**'],
              'The sidebar and the widgets never meet.'
            ),
            group(['**/core/**', '!**/core'], 'The core is used through its index.')
          ]
        }
      ]
    }
  },
  {
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off'
    }
  }
);
