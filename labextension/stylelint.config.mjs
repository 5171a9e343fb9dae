/** @type {import('stylelint').Config} */
export default {
  extends: ['stylelint-config-standard'],
  rules: {
    'custom-property-pattern': ['^(jp|vscode)-.+$', { message: 'Only JupyterLab’s variables' }],
    'declaration-property-value-disallowed-list': {
      // Colours of its own would not follow the theme; the aliases hold the fallbacks.
      '/^(?!--).*(color|background|border|fill)/': ['/^#/', '/rgba?\\(/', '/hsla?\\(/']
    },
    'no-descending-specificity': null,
    'selector-class-pattern': [
      '^jp-ape-[a-zA-Z-]+$',
      { message: 'Classes are named jp-ape-*', resolveNestedSelectors: true }
    ]
  }
};
