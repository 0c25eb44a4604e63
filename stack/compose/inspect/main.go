// Prints what the Compose project's own loader makes of a file, or what BuildKit's own parser makes
// of a Dockerfile or of .dockerignore, as JSON for tests. It judges nothing itself.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// A build stage: its name, what it starts from, and its steps in order.
type stage struct {
	Name  string `json:"name"`
	Base  string `json:"base"`
	Steps []step `json:"steps"`
}

// An instruction that builds; the others are told by their name alone.
type step struct {
	Kind    string   `json:"kind"`
	From    string   `json:"from,omitempty"`
	Sources []string `json:"sources,omitempty"`
	Target  string   `json:"target,omitempty"`
	Script  string   `json:"script,omitempty"`
	Caches  []cache  `json:"caches,omitempty"`
}

// A folder that outlives a build; builds that name the same one use it at the same time.
type cache struct {
	ID     string `json:"id"`
	Target string `json:"target"`
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: inspect compose|dockerfile|dockerignore FILE"))
	}
	var found any
	var err error
	switch os.Args[1] {
	case "compose":
		found, err = compose(os.Args[2])
	case "dockerfile":
		found, err = dockerfile(os.Args[2])
	case "dockerignore":
		found, err = sentOf(os.Args[2])
	default:
		err = fmt.Errorf("%q is no kind of file that is known", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func compose(file string) (any, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithConsistency(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func dockerfile(name string) (any, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		return nil, err
	}
	found, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	stages := make([]stage, 0, len(found))
	for _, each := range found {
		steps := make([]step, 0, len(each.Commands))
		for _, command := range each.Commands {
			step, err := stepOf(command)
			if err != nil {
				return nil, err
			}
			steps = append(steps, step)
		}
		stages = append(stages, stage{Name: each.Name, Base: each.BaseName, Steps: steps})
	}
	return stages, nil
}

func stepOf(command instructions.Command) (step, error) {
	switch command := command.(type) {
	case *instructions.CopyCommand:
		return step{Kind: "copy", From: command.From, Sources: command.SourcePaths, Target: command.DestPath}, nil
	case *instructions.RunCommand:
		caches, err := cachesOf(command)
		if err != nil {
			return step{}, err
		}
		return step{Kind: "run", Script: strings.Join(command.CmdLine, " "), Caches: caches}, nil
	case *instructions.UserCommand:
		return step{Kind: "user", Target: command.User}, nil
	case *instructions.WorkdirCommand:
		return step{Kind: "workdir", Target: command.Path}, nil
	default:
		return step{Kind: strings.ToLower(command.Name())}, nil
	}
}

// Mounts are read when variables are put in; ours name none.
func cachesOf(command *instructions.RunCommand) ([]cache, error) {
	if err := command.Expand(func(word string) (string, error) { return word, nil }); err != nil {
		return nil, err
	}
	var found []cache
	for _, mount := range instructions.GetMounts(command) {
		if mount.Type != instructions.MountTypeCache {
			continue
		}
		id := mount.CacheID
		if id == "" {
			id = mount.Target
		}
		found = append(found, cache{ID: id, Target: mount.Target})
	}
	return found, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
