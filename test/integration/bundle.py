"""Makes one program of the packages of Kubernetes' integration tests, which is linked once instead of once for each.

    bundle.py FOLDER PROGRAM     of the copy; of the main package to be written

Test files become files of ordinary packages, each of which lists its tests; the program runs those of the package that
PACKAGE names. Packages that define flags or change what others share are left to `go test`.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]) / "test/integration"
PROGRAM = pathlib.Path(sys.argv[2])
APART = {"apimachinery/apply", "ipamperf", "benchmark-controller.json", "openshift"}
APART_BELOW = ("scheduler_perf", "logs")

MAIN = '''package main

import (
	"errors"
	"io"
	"os"
	"reflect"
	"regexp"
	"runtime/pprof"
	"testing"
	"time"

%s)

type pack struct {
	tests []testing.InternalTest
	run   func(*testing.M)
}

var packages = map[string]pack{
%s}

// What the program that go test generates has of the testing package; nothing of it is asked for here but matching.
type deps struct{}

var errNone = errors.New("not in a bundle")

func (deps) MatchString(pattern, text string) (bool, error)     { return regexp.MatchString(pattern, text) }
func (deps) ImportPath() string                                 { return "" }
func (deps) ModulePath() string                                 { return "" }
func (deps) SetPanicOnExit0(bool)                               {}
func (deps) StartCPUProfile(w io.Writer) error                  { return pprof.StartCPUProfile(w) }
func (deps) StopCPUProfile()                                    { pprof.StopCPUProfile() }
func (deps) StartTestLog(io.Writer)                             {}
func (deps) StopTestLog() error                                 { return nil }
func (deps) WriteProfileTo(string, io.Writer, int) error        { return errNone }
func (deps) RunFuzzWorker(func(entry) error) error              { return errNone }
func (deps) ReadCorpus(string, []reflect.Type) ([]entry, error) { return nil, errNone }
func (deps) CheckCorpus([]any, []reflect.Type) error            { return errNone }
func (deps) ResetCoverage()                                     {}
func (deps) SnapshotCoverage()                                  {}
func (deps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []entry, []reflect.Type, string, string) error {
	return errNone
}
func (deps) InitRuntimeCoverage() (string, func(string, string) (string, error), func() float64) {
	return "", nil, nil
}

type entry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

func main() {
	p := packages[os.Getenv("PACKAGE")]
	if p.run == nil {
		println("no such package: " + os.Getenv("PACKAGE"))
		os.Exit(2)
	}
	p.run(testing.MainStart(deps{}, p.tests, nil, nil, nil))
}
'''


def list_tests(folder, files):
    texts = [f.read_text() for f in files]
    name = re.search(r"^package (\w+)", texts[0], re.M).group(1)
    tests = [t for text in texts for t in re.findall(r"^func (Test\w*)\((?:\w+ )?\*testing\.T\)", text, re.M)]
    has_main = any(re.search(r"^func TestMain\(", text, re.M) for text in texts)
    (folder / "bundled.go").write_text(
        f'package {name}\n\nimport (\n	"os"\n	"reflect"\n	"testing"\n)\n\nvar BundledTests = []testing.InternalTest{{\n'
        + "".join(f'	{{Name: "{t}", F: {t}}},\n' for t in tests)
        + "}\n\nfunc RunBundled(m *testing.M) {\n"
        + ("	TestMain(m)\n" if has_main else "	m.Run()\n")
        + '	os.Exit(int(reflect.ValueOf(m).Elem().FieldByName("exitCode").Int()))\n}\n')


imports, entries = "", ""
for folder in sorted({f.parent for f in ROOT.rglob("*_test.go")}):
    package = str(folder.relative_to(ROOT))
    if package in APART or package.startswith(APART_BELOW):
        continue
    files = sorted(folder.glob("*_test.go"))
    list_tests(folder, files)
    for file in files:
        plain = file.with_name(file.name.replace("_test.go", ".go"))
        file.rename(plain if not plain.exists() else file.with_name("tests_of_" + plain.name))
    alias = "p" + re.sub(r"\W", "_", package)
    imports += f'	{alias} "k8s.io/kubernetes/test/integration/{package}"\n'
    entries += f'	"{package}": {{{alias}.BundledTests, {alias}.RunBundled}},\n'
PROGRAM.mkdir(exist_ok=True)
(PROGRAM / "main.go").write_text(MAIN % (imports, entries))
