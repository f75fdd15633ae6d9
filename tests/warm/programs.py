"""Programs that print what a program can see of how it was started."""

INFO = """import json, os, signal, sys, threading
m = sys.modules["__main__"]
def text(path): return open(path).read()
print(json.dumps(dict(
  argv=sys.argv, orig=getattr(sys, "orig_argv", 0), path=sys.path, name=__name__,
  file=globals().get("__file__"), spec=str(getattr(m.__spec__, "name", None)),
  package=globals().get("__package__"), is_main=m.__dict__ is globals(), flags=str(sys.flags),
  exe=sys.executable, cwd=os.getcwd(), group=os.getpgid(0) == os.getpid(),
  handlers={s: str(signal.getsignal(s)) for s in signal.valid_signals()},
  mask=sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
  threads=threading.active_count(), tasks=len(os.listdir("/proc/self/task")),
  fds=sorted(int(f) for f in os.listdir("/proc/self/fd") if int(f) < 100)[:-1],
  cmdline=text("/proc/self/cmdline"), comm=text("/proc/self/comm"),
  tty=[os.isatty(i) for i in range(3)], encoding=sys.stdout.encoding,
  buffered=[sys.stdout.line_buffering, sys.stderr.line_buffering],
  main_thread=threading.current_thread() is threading.main_thread(),
  loader=type(__loader__).__name__, builtins=type(__builtins__).__name__,
  env={k: v for k, v in os.environ.items() if k != "RELOADER_RUN"}, nice=os.nice(0),
  first=[k for k in sys.modules if k.startswith(("json", "threading", "signal", "reloader"))],
  frames=sys._getframe().f_back is None,
  meta=[str(getattr(f, "__name__", type(f))) for f in sys.meta_path if "eloader" not in str(f)],
  hooks=len(sys.path_hooks), customize="sitecustomize" in sys.modules,
  oom=text("/proc/self/oom_score_adj").strip(), umask=oct(os.umask(0o22)),
), indent=0))
"""
MP = """import multiprocessing as mp
def f(x): return x * 2
class K: pass
if __name__ == "__main__":
    with mp.get_context("{}").Pool(2) as p: print(p.map(f, range(5)))
"""
FILES = {
    "info.py": INFO,
    "pkg/__init__.py": "",
    "pkg/__main__.py": INFO,
    "pkg/sub/__init__.py": "",
    "pkg/sub/mod.py": INFO,
    "exit3.py": "import sys; sys.exit(3)",
    "message.py": "import sys; sys.exit('bye')",
    "error.py": "import json\ndef f():\n    raise ValueError('boom')\nf()\n",
    "nested.py": "import json\ntry:\n    1/0\nexcept Exception as e:\n    raise KeyError('x') from e\n",
    "osexit.py": "import os; os._exit(7)",
    "kill.py": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "interrupt.py": "raise KeyboardInterrupt",
    "sigterm.py": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "sigint.py": "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(1)",
    "syntax.py": "def f(:\n",
    "atexit_.py": "import atexit; atexit.register(print, 'bye'); print('hi')",
    "thread.py": "import threading, time\ndef f():\n    time.sleep(.1); print('thread')\n"
    "threading.Thread(target=f).start(); print('main')",
    "daemon.py": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(9,), daemon=True).start(); print('x')",
    "aio.py": "import asyncio\nasync def m():\n    p = await asyncio.create_subprocess_exec('echo', 's')\n"
    "    await p.wait(); print(p.returncode)\nasyncio.run(m())",
    "mp_spawn.py": MP.format("spawn"),
    "mp_fork.py": MP.format("fork"),
    "mp_server.py": MP.format("forkserver"),
    "pools.py": "from concurrent.futures import ProcessPoolExecutor as P\ndef f(x): return x * 2\n"
    "if __name__ == '__main__':\n    with P(2) as p: print(list(p.map(f, range(5))))",
    "threads.py": "from concurrent.futures import ThreadPoolExecutor as P\n"
    "with P(4) as p: print(list(p.map(abs, range(5))))",
    "pickled.py": "import pickle\nclass K: pass\n"
    "print(pickle.loads(pickle.dumps(K())).__class__.__module__)",
    "inspected.py": "import inspect\ndef f(): return 1\nprint(inspect.getsource(f))",
    "tls.py": "import ssl; print(ssl.create_default_context().verify_mode)",
    "logs.py": "import logging, sys; logging.basicConfig(stream=sys.stdout); logging.warning('w')",
    "warns.py": "import warnings; warnings.warn('careful')",
    "warns_up.py": "import warnings; warnings.warn('careful', stacklevel=3)",
    "stack.py": "import traceback, json; traceback.print_stack()",
    "stdin.py": "import sys; print(repr(sys.stdin.read()))",
    "asks.py": "print(input('? '))",
    "sub.py": "import subprocess\n"
    "print(subprocess.run('echo $FOO; exit 4', shell=True, capture_output=True))",
    "child.py": "import subprocess, sys\n"
    "print(subprocess.run([sys.executable, 'info.py'], capture_output=True, text=True).stdout)",
    "traced.py": "import sys\ndef t(f, e, a): return t\nsys.settrace(t)\nprint('x')\nsys.settrace(None)",
    "collected.py": "import gc; print(gc.isenabled(), gc.get_threshold())",
    "fault.py": "import faulthandler; faulthandler.enable(); print(faulthandler.is_enabled())",
    "dump.py": "import faulthandler, sys; faulthandler.dump_traceback(sys.stdout)",
    "handler.py": "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *a: print('usr1'))\n"
    "os.kill(os.getpid(), signal.SIGUSR1)",
    "deep.py": "import sys\nprint(sys.getrecursionlimit())\ndef f(n): return 0 if n == 0 else f(n-1)\n"
    "print(f(900))\nf(2000)",
    "run.py": "import runpy; runpy.run_module('pkg.sub.mod', run_name='x')",
    "run_path.py": "import runpy; runpy.run_path('info.py', run_name='y')",
    "again.py": "import importlib, json; importlib.reload(json); print(json.dumps(1))",
    "find.py": "import importlib.util as u\nprint(u.find_spec('json').origin, u.find_spec('nosuch'))\n"
    "import json\nprint(json.__spec__.origin, json.__loader__, json.__file__)",
    "order.py": "import sys\nbefore = set(sys.modules)\nimport json\nprint('decimal' in sys.modules)\n"
    "import decimal\nprint(sorted(set(sys.modules) - before))",
    "meta.py": "import importlib.metadata as m; print(len(list(m.distributions())) > 0)",
    "fresh.py": "import sys\nprint([m for m in ('json', 're', 'socket') if m in sys.modules])\nimport socket",
    "hooked.py": "import sys\nclass F:\n    def find_spec(self, n, p=None, t=None):\n"
    "        if n in ('json', 'decimal'): print('saw', n)\nsys.meta_path.insert(0, F())\n"
    "import json, decimal",
    "patched.py": "import socket\nclass P: pass\nsocket.socket = P\nimport ssl2 as s",
    "closes.py": "import os, json\nos.closerange(3, 500)\nf = open('stdin.py'); import decimal\n"
    "print(f.fileno(), open('/dev/null').fileno(), f.read())",
    "forks.py": "import os, sys, json\nif os.fork() == 0:\n    import decimal\n    print('child', flush=True)\n"
    "    os._exit(0)\nos.wait()\nprint('parent')",
    "execs.py": "import os, sys, json\nos.execv(sys.executable, [sys.executable, 'info.py', 'again'])",
    "empty.py": "",
}
SCRIPTS = [name for name in FILES if "/" not in name]
OTHERS = [
    ["-m", "pkg", "z"],
    ["-m", "pkg.sub.mod"],
    ["-m", "nosuch"],
    ["nosuch.py"],
    ["pkg"],
    ["-c", INFO, "q"],
    ["-c", "import json; raise SystemExit(json.loads('4'))"],
    ["-O", "-W", "ignore", "-X", "utf8", "info.py"],
    ["-Wd", "-bb", "-u", "info.py"],
    ["-m", "json.tool", "nosuch.json"],
]
