package testing

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// OtherServer is a kube-apiserver in a process of its own, in place of the one that a test would have in its own: the binary
// that APISERVER names, with the flags that say what the test has made of the options. Its log is server.log in the test's
// folder; a test's client is system:apiserver, by a token.
type OtherServer struct {
	Config *restclient.Config
	Exited chan error
	cmd    *exec.Cmd
}

// UsesOtherServer says whether there is one to be used.
func UsesOtherServer() bool { return os.Getenv("APISERVER") != "" }

func flagText(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return strings.Join(list.GetSlice(), ",")
	}
	return strings.TrimSuffix(strings.TrimPrefix(f.Value.String(), "["), "]")
}

// Flags that are not at their default.
func flagsOf(s *options.ServerRunOptions) map[string]string {
	values := map[string]string{}
	usual := options.NewServerRunOptions()
	usual.GenericServerRunOptions.ComponentGlobalsRegistry = s.GenericServerRunOptions.ComponentGlobalsRegistry
	now, plain := s.Flags(), usual.Flags()
	for _, section := range now.Order {
		now.FlagSets[section].VisitAll(func(f *pflag.Flag) {
			was := plain.FlagSets[section].Lookup(f.Name)
			if f.Deprecated == "" && (was == nil || flagText(was) != flagText(f)) {
				values[f.Name] = flagText(f)
			}
		})
	}
	return values
}

// A file of tokens with the test's own before those of the test.
func writeTokens(path, token, others string) error {
	lines := fmt.Sprintf("%s,system:apiserver,%s,system:masters\n", token, token)
	if others != "" {
		b, err := os.ReadFile(others)
		if err != nil {
			return err
		}
		lines += string(b)
	}
	return os.WriteFile(path, []byte(lines), 0600)
}

// StartOtherServer starts one; it is there, but may not serve yet.
func StartOtherServer(s *options.ServerRunOptions, dir string, logf func(string, ...any)) (*OtherServer, error) {
	values := flagsOf(s)
	random := make([]byte, 16)
	rand.Read(random)
	token := hex.EncodeToString(random)
	tokens := filepath.Join(dir, "tokens.csv")
	if err := writeTokens(tokens, token, values["token-auth-file"]); err != nil {
		return nil, err
	}
	values["token-auth-file"] = tokens
	own := filepath.Join(dir, "apiserver.crt")
	if values["tls-cert-file"] == "" || values["tls-cert-file"] == own {
		c, k, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.ParseIP("127.0.0.1")}, nil)
		if err != nil {
			return nil, err
		}
		values["tls-cert-file"], values["tls-private-key-file"] = own, filepath.Join(dir, "apiserver.key")
		os.WriteFile(own, c, 0644)
		os.WriteFile(values["tls-private-key-file"], k, 0600)
		s.SecureServing.ServerCert.CertKey.CertFile = own // where tests look for it
	}
	ca, err := os.ReadFile(values["tls-cert-file"])
	if err != nil {
		return nil, err
	}
	port := s.SecureServing.BindPort
	if s.SecureServing.Listener != nil {
		port = s.SecureServing.Listener.Addr().(*net.TCPAddr).Port
		s.SecureServing.Listener.Close()
	}
	values["secure-port"], values["bind-address"] = fmt.Sprint(port), "127.0.0.1"
	if values["advertise-address"] == "" {
		values["advertise-address"] = "192.0.2.1"
	}
	values["etcd-prefix"] = "/" + strings.TrimPrefix(s.Etcd.StorageConfig.Prefix, "/")
	values["etcd-servers"] = strings.Join(s.Etcd.StorageConfig.Transport.ServerList, ",")
	delete(values, "cert-dir")
	var args []string
	for name, value := range values {
		args = append(args, "--"+name+"="+value)
	}
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	o := &OtherServer{Exited: make(chan error, 1)}
	o.cmd = exec.Command(os.Getenv("APISERVER"), args...)
	o.cmd.Stdout, o.cmd.Stderr = log, log
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	logf("%s", strings.Join(o.cmd.Args, " "))
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		err := o.cmd.Wait()
		log.Close()
		if err != nil {
			said, _ := os.ReadFile(log.Name())
			err = fmt.Errorf("%v: %s", err, said[max(0, len(said)-3000):])
		}
		o.Exited <- err
		close(o.Exited)
	}()
	o.Config = &restclient.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", port),
		BearerToken:     token,
		TLSClientConfig: restclient.TLSClientConfig{CAData: ca},
		QPS:             -1, // as the one within the server's process
	}
	o.Config.ContentType = "application/vnd.kubernetes.protobuf"
	return o, nil
}

// StopWith asks the server to end when the context does; Exited tells of the end.
func (o *OtherServer) StopWith(ctx context.Context) {
	go func() {
		<-ctx.Done()
		o.cmd.Process.Signal(syscall.SIGTERM)
	}()
}

// Await polls until the check says yes, the server has ended, or a minute is over.
func (o *OtherServer) Await(check func() bool) error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-o.Exited:
			return fmt.Errorf("the server ended: %v", err)
		default:
		}
		if check() {
			return nil
		}
	}
	return fmt.Errorf("the server does not serve")
}
