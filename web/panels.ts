/** What lies over the page when it is asked for. */
import "./components/palette/palette.ts";
import "./components/settings/settings.ts";
import "./components/shortcuts/shortcuts.ts";
