// Build the framework's Desk: node build.mjs <the framework's app folder> <node_modules> <output folder>
//
// Each public/**/*.bundle.{js,scss} becomes dist/{js,css}/<name>.bundle.<hash>.{js,css}; styles are also mirrored for
// languages written from right to left. assets.json and assets-rtl.json map each bundle to its file.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [app, packages, out] = process.argv.slice(2).map((folder) => path.resolve(folder));
const require = createRequire(path.join(packages, "any.js"));
const esbuild = require("esbuild");
const rtlcss = require("rtlcss");
const sass = require("sass");
const vue = require("vue/compiler-sfc");

const publicFolder = path.join(app, "frappe", "public");
const dist = path.join(out, "dist");
const URL_OF_DIST = "/assets/frappe/dist";

// Sentry's error reports need its client and an account.
const LEFT_OUT = ["sentry.bundle.js"];

// Resolve a path in a style: ~package/file is in node_modules, frappe/public/… in the framework.
function locate(url) {
	const inPackages = url.replace(/^~|^frappe\/public\/node_modules\//, "");
	return inPackages === url ? path.join(app, url) : path.join(packages, inPackages);
}

function compileSass(file, source) {
	const options = {
		loadPaths: [packages, app],
		importers: [
			{ findFileUrl: (url) => (url.startsWith("~") ? pathToFileURL(locate(url)) : null) },
		],
		logger: sass.Logger.silent, // Bootstrap 4 is older than what Sass deprecates
	};
	return source === undefined
		? sass.compile(file, options).css
		: sass.compileString(source, { ...options, url: pathToFileURL(file) }).css;
}

const styles = {
	name: "styles",
	setup(build) {
		build.onLoad({ filter: /\.scss$/ }, ({ path: file }) => ({
			contents: compileSass(file),
			loader: "css",
			resolveDir: path.dirname(file),
		}));
		build.onResolve({ filter: /^(~|frappe\/public\/)/ }, ({ path: url }) => ({ path: locate(url) }));
		build.onResolve({ filter: /^\/assets\// }, ({ path: url }) => ({ path: url, external: true }));
	},
};

// Each imported template is registered under its file's name.
const templates = {
	name: "templates",
	setup(build) {
		build.onLoad({ filter: /\.html$/ }, async ({ path: file }) => {
			const name = JSON.stringify(path.basename(file).split(".")[0]);
			const text = JSON.stringify(await readFile(file, "utf8"));
			return { contents: `frappe.templates[${name}] = ${text};` };
		});
	},
};

// Single-file components of Vue; their script adds their styles to the page.
const components = {
	name: "components",
	setup(build) {
		build.onLoad({ filter: /\.vue$/ }, async ({ path: file }) => {
			const source = await readFile(file, "utf8");
			return { contents: await compileComponent(file, source), resolveDir: path.dirname(file) };
		});
	},
};

async function compileComponent(file, source) {
	const { descriptor, errors } = vue.parse(source, { filename: file });
	if (errors.length) throw errors[0];
	const id = createHash("sha256").update(path.relative(app, file)).digest("hex").slice(0, 8);
	const scoped = descriptor.styles.some((style) => style.scoped);
	const parts = [];
	if (descriptor.script || descriptor.scriptSetup) {
		const script = vue.compileScript(descriptor, { id, inlineTemplate: true, genDefaultAs: "component" });
		parts.push(script.content);
	} else {
		parts.push("const component = {};");
	}
	if (descriptor.template && !descriptor.scriptSetup) {
		const template = vue.compileTemplate({
			source: descriptor.template.content,
			filename: file,
			id,
			scoped,
		});
		if (template.errors.length) throw template.errors[0];
		parts.push(template.code, "component.render = render;");
	}
	if (scoped) parts.push(`component.__scopeId = "data-v-${id}";`);
	for (const style of descriptor.styles) {
		const css = style.lang === "scss" ? compileSass(file, style.content) : style.content;
		const compiled = vue.compileStyle({ source: css, filename: file, id: `data-v-${id}`, scoped: style.scoped });
		if (compiled.errors.length) throw compiled.errors[0];
		parts.push(`frappe.dom.set_style(${JSON.stringify(await inline(compiled.code, file))});`);
	}
	parts.push("export default component;");
	return parts.join("\n");
}

// Insert imported styles: the style is added to the page, where packages have no URL.
async function inline(css, file) {
	const { outputFiles } = await esbuild.build({
		stdin: { contents: css, loader: "css", resolveDir: path.dirname(file) },
		bundle: true,
		write: false,
		logLevel: "error",
		nodePaths: [packages],
	});
	return outputFiles[0].text;
}

async function findBundles(folder) {
	const found = [];
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		const file = path.join(folder, entry.name);
		if (entry.isDirectory()) found.push(...(await findBundles(file)));
		else if (/\.bundle\.(js|scss)$/.test(entry.name) && !LEFT_OUT.includes(entry.name)) found.push(file);
	}
	return found;
}

async function bundle(files, kind, options) {
	return esbuild.build({
		entryPoints: Object.fromEntries(files.map((file) => [path.parse(file).name, file])),
		entryNames: `${kind}/[name].[hash]`,
		assetNames: "media/[name].[hash]",
		outdir: dist,
		publicPath: URL_OF_DIST,
		bundle: true,
		minify: true,
		metafile: true,
		logLevel: "error",
		nodePaths: [packages, app],
		...options,
	});
}

// The Desk asks for "desk.bundle.scss" as "desk.bundle.css".
function listBuilt({ outputs }) {
	const built = {};
	for (const [file, { entryPoint }] of Object.entries(outputs)) {
		if (!entryPoint) continue;
		const name = path.basename(entryPoint).replace(/\.scss$/, ".css");
		built[name] = path.relative(dist, path.resolve(file));
	}
	return built;
}

async function mirror(built) {
	const mirrored = {};
	await mkdir(path.join(dist, "css-rtl"), { recursive: true });
	for (const [name, file] of Object.entries(built)) {
		mirrored[`rtl_${name}`] = path.join("css-rtl", path.basename(file));
		const css = rtlcss.process(await readFile(path.join(dist, file), "utf8"));
		await writeFile(path.join(dist, mirrored[`rtl_${name}`]), css);
	}
	return mirrored;
}

async function writeList(name, built) {
	const urls = Object.fromEntries(Object.entries(built).map(([key, file]) => [key, `${URL_OF_DIST}/${file}`]));
	await writeFile(path.join(out, name), JSON.stringify(urls, null, 1));
}

const files = await findBundles(publicFolder);
const [scripts, sheets] = await Promise.all([
	bundle(files.filter((file) => file.endsWith(".js")), "js", {
		target: ["es2020"],
		define: {
			"process.env.NODE_ENV": '"production"',
			__VUE_OPTIONS_API__: "true",
			__VUE_PROD_DEVTOOLS__: "false",
		},
		plugins: [templates, components],
	}),
	bundle(files.filter((file) => file.endsWith(".scss")), "css", { plugins: [styles] }),
]);
const builtSheets = listBuilt(sheets.metafile);
await writeList("assets.json", { ...listBuilt(scripts.metafile), ...builtSheets });
await writeList("assets-rtl.json", await mirror(builtSheets));
