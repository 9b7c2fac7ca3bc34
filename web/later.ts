/** Elements that a page can do without at first. Where one stands already, it comes to life when this has loaded. */
import "./components/composer/attachment-list.ts";
import "./components/composer/slash.ts";
import "./components/dialogs/dialogs.ts";
import "./components/message/editor.ts";
import "./components/message/usage.ts";
import "./components/plan/plan.ts";
import "./components/presence/presence.ts";
import "./components/reasoning/reasoning.ts";
import "./components/shared/shared.ts";
import "./components/tool/tools.ts";
import "./components/toast/toast.ts";
