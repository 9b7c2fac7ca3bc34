/** Of what the app loads later, that which a single conversation needs. */
import "../components/message/editor.ts";
import "../components/message/usage.ts";
import "../components/plan/plan.ts";
import "../components/reasoning/reasoning.ts";
import "../components/tool/tools.ts";
