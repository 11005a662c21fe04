package main

import (
	"context"
	"fmt"
	"os"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/spf13/cobra"
)

func (a *app) photoCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "photo",
		Short: "Show the photo, or save it",
		Long:  "Show the photo in the terminal. With --out, or when standard output is no terminal, the JPEG\nis written as it is on the card.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.photo(cmd.Context(), out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the JPEG to this file")
	return cmd
}

func (a *app) photo(ctx context.Context, out string) error {
	s, err := a.openCard(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	jpeg, err := s.Photo(ctx)
	if err != nil {
		return err
	}
	switch {
	case out != "":
		return a.writeFile(out, jpeg)
	case !isTerminal(a.out):
		_, err := a.out.Write(jpeg)
		return err
	}
	img := decodePhoto(jpeg)
	if img == nil {
		return fmt.Errorf("the photo is no JPEG of a card's size; save it with --out")
	}
	lines := termview.HalfBlocks(img, 40, termview.Detect(os.Getenv))
	if lines == nil {
		return hinted{fmt.Errorf("this terminal shows no colours"), "save the photo with: eid photo --out photo.jpg"}
	}
	for _, line := range lines {
		fmt.Fprintln(a.out, line)
	}
	return nil
}
