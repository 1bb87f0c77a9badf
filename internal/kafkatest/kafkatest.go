// Package kafkatest starts real Kafka servers for tests: on loopback, on free ports, in a folder of the test, ended by
// their process.
//
// Zone: outside, tests only. The jars come from Maven Central (scripts/cluster fetches them and names their folder in
// MURMUR_KAFKA); where they are not named, a test that asks for servers is skipped, aloud.
package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Variable names the folder of Kafka's jars.
const Variable = "MURMUR_KAFKA"

// startTime is how long servers may take until they answer.
const startTime = 2 * time.Minute

// Cluster is some servers. Its methods are for the goroutine of the test.
type Cluster struct {
	t       testing.TB
	Dir     string // everything the servers write
	nodes   []*node
	voters  string
	Servers []string // HOST:PORT of each
}

type node struct {
	id                  int
	listen, controllers string
	command             *exec.Cmd
	ended               chan struct{}
}

// Need skips a test, aloud, where there are no jars.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(Variable) == "" {
		t.Skipf("NOT TESTED: real Kafka servers (%s is not set: make test-cluster)", Variable)
	}
}

// Start starts n servers, each of them a controller too, and waits until all answer. extra are lines of their
// configuration.
func Start(t testing.TB, n int, extra ...string) *Cluster {
	t.Helper()
	Need(t)
	c := &Cluster{t: t, Dir: t.TempDir()}
	for i := range n {
		node := &node{id: i + 1, listen: free(t), controllers: free(t)}
		c.nodes, c.Servers = append(c.nodes, node), append(c.Servers, node.listen)
		c.voters += fmt.Sprintf(",%d@%s", node.id, node.controllers)
	}
	c.voters = c.voters[1:]
	var all sync.WaitGroup
	failed := make([]error, n)
	for i, node := range c.nodes {
		all.Go(func() { failed[i] = c.format(node, extra) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	for i := range c.nodes {
		c.Run(i)
	}
	c.Await(n)
	return c
}

// free is an address that nobody listened on a moment ago.
func free(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (c *Cluster) properties(n *node) string {
	return filepath.Join(c.Dir, fmt.Sprintf("%d.properties", n.id))
}
func (c *Cluster) log(n *node) string { return filepath.Join(c.Dir, fmt.Sprintf("%d.log", n.id)) }

func (c *Cluster) format(n *node, extra []string) error {
	copies := min(3, len(c.nodes))
	lines := append([]string{
		"process.roles=broker,controller", fmt.Sprintf("node.id=%d", n.id),
		"controller.quorum.voters=" + c.voters, "controller.listener.names=CONTROLLER",
		fmt.Sprintf("listeners=PLAINTEXT://%s,CONTROLLER://%s", n.listen, n.controllers), "advertised.listeners=PLAINTEXT://" + n.listen,
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
		"log.dirs=" + filepath.Join(c.Dir, fmt.Sprintf("data%d", n.id)),
		fmt.Sprintf("offsets.topic.replication.factor=%d", copies), "offsets.topic.num.partitions=4",
		fmt.Sprintf("transaction.state.log.replication.factor=%d", copies), "transaction.state.log.min.isr=1",
		fmt.Sprintf("share.coordinator.state.topic.replication.factor=%d", copies), "share.coordinator.state.topic.min.isr=1",
		"group.initial.rebalance.delay.ms=0", "num.network.threads=2", "num.io.threads=4", "log.cleaner.dedupe.buffer.size=2097152",
		// A server that was killed is missed within seconds.
		"broker.session.timeout.ms=4000", "broker.heartbeat.interval.ms=500",
	}, extra...)
	if err := os.WriteFile(c.properties(n), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	const cluster = "bXVybXVyLXRlc3RzLTAwMQ" // any 16 bytes, in base64
	out, err := c.java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", c.properties(n)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("format the storage of a server: %w\n%s", err, out)
	}
	return nil
}

func (c *Cluster) java(args ...string) *exec.Cmd {
	return exec.Command("java", append([]string{"-Xms128m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(os.Getenv(Variable), "*")}, args...)...)
}

// Run starts server i, which must not run.
func (c *Cluster) Run(i int) {
	c.t.Helper()
	n := c.nodes[i]
	log, err := os.OpenFile(c.log(n), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	n.command = c.java("kafka.Kafka", c.properties(n))
	n.command.Stdout, n.command.Stderr = log, log
	n.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it does not outlive the test
	if err := n.command.Start(); err != nil {
		c.t.Fatal(err)
	}
	n.ended = make(chan struct{})
	go func() {
		_ = n.command.Wait()
		close(n.ended)
	}()
}

// Kill ends server i at once, as kill -9 does.
func (c *Cluster) Kill(i int) {
	n := c.nodes[i]
	_ = n.command.Process.Kill()
	<-n.ended
}

// Signal sends a signal to server i.
func (c *Cluster) Signal(i int, s syscall.Signal) {
	c.t.Helper()
	if err := c.nodes[i].command.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *Cluster) stop() {
	for i, n := range c.nodes {
		if n.command != nil {
			c.Kill(i)
		}
		if c.t.Failed() {
			b, _ := os.ReadFile(c.log(n))
			c.t.Logf("the last words of server %d:\n%s", n.id, b[max(0, len(b)-4000):])
		}
	}
}

// Await waits until so many servers are members.
func (c *Cluster) Await(n int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Servers...))
	if err != nil {
		c.t.Fatal(err)
	}
	defer client.Close()
	for {
		ask := kmsg.NewPtrMetadataRequest() // kadm would answer from memory
		ask.Topics = []kmsg.MetadataRequestTopic{}
		answer, err := ask.RequestWith(ctx, client)
		if err == nil && len(answer.Brokers) == n {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("%d Kafka servers do not answer: %v", n, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Leader is the number of the server that leads partition 0 of a topic.
func (c *Cluster) Leader(topic string) int {
	c.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Servers...))
	if err != nil {
		c.t.Fatal(err)
	}
	defer client.Close()
	all, err := kadm.NewClient(client).ListTopics(context.Background(), topic)
	if err != nil || all[topic].Err != nil {
		c.t.Fatalf("who leads %s: %v, %v", topic, err, all[topic].Err)
	}
	return int(all[topic].Partitions[0].Leader) - 1
}
