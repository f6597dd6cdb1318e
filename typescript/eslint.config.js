import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
    { ignores: ["**/dist/**"] },
    {
        files: ["**/*.ts", "**/*.tsx"],
        extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
        languageOptions: { parserOptions: { project: "tsconfig.json", tsconfigRootDir: import.meta.dirname } },
        rules: {
            // Callbacks that give back what another function gives are short and clear.
            "@typescript-eslint/no-confusing-void-expression": "off",
            // It asks for what another rule forbids.
            "@typescript-eslint/non-nullable-type-assertion-style": "off",
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
            "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
        },
    },
    {
        // tsc knows which names there are.
        files: ["**/*.js"],
        extends: [js.configs.recommended],
        rules: { "no-undef": "off", "no-unused-vars": ["error", { args: "none", varsIgnorePattern: "^_$" }] },
    },
    { files: ["examples/peer-javascript/*.js"], languageOptions: { sourceType: "commonjs" } },
);
